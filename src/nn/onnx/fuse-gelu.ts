import type { Graph, Node, NodeOf } from '../../graph/graph.ts'
import { prune } from '../../graph/prune.ts'

/**
 * Writes x/2 · (1 + erf(x/√2)), in any order of its products, as the one operator that it is: one pass instead of five, and a shorter gradient.
 */
export function fuseGelu(graph: Graph): Graph {
  const finder = new Finder(graph)
  const replaced = new Map<string, NodeOf<'gelu'>>()
  for (const node of graph.nodes) {
    if (node.op !== 'erf') continue
    const found = finder.geluOf(node)
    if (found !== undefined) {
      const { id, shape, dtype, layer } = found.last
      replaced.set(id, { id, op: 'gelu', inputs: [found.x], attrs: {}, shape, dtype, ...(layer === undefined ? {} : { layer }) })
    }
  }
  if (replaced.size === 0) return graph
  return prune({ ...graph, nodes: graph.nodes.map((node) => replaced.get(node.id) ?? node) })
}

/** Relative distance within which a stored factor is the one of the formula. */
const tolerance = 1e-5

class Finder {
  readonly #nodes: ReadonlyMap<string, Node>
  readonly #users = new Map<string, Node[]>()
  readonly #outputs: ReadonlySet<string>

  constructor(graph: Graph) {
    this.#nodes = new Map(graph.nodes.map((node) => [node.id, node]))
    this.#outputs = new Set(graph.outputs.map(({ value }) => value))
    for (const node of graph.nodes) for (const id of new Set(node.inputs)) this.#users.set(id, [...(this.#users.get(id) ?? []), node])
  }

  /** From the error function to the last product, and the value that it is a function of. */
  geluOf(erf: Node): { readonly x: string; readonly last: Node } | undefined {
    const inner = this.#nodes.get(erf.inputs[0] ?? '')
    if (inner?.op !== 'scale' || !isNear(inner.attrs.factor, Math.SQRT1_2)) return undefined
    const x = inner.inputs[0] as string
    const plusOne = this.#onlyUser(erf)
    if (plusOne?.op !== 'add' || !plusOne.inputs.some((id) => this.#isOne(id))) return undefined
    let factor = 1
    let isTimesX = false
    let last: Node = plusOne
    for (;;) {
      const next: Node | undefined = isTimesX && isNear(factor, 0.5) ? undefined : this.#onlyUser(last)
      if (next?.op === 'scale') factor *= next.attrs.factor
      else if (next?.op === 'mul' && !isTimesX) {
        const other = next.inputs.find((id) => id !== last.id) ?? ''
        const scaled = this.#nodes.get(other)
        if (other !== x && !(scaled?.op === 'scale' && scaled.inputs[0] === x)) return undefined
        if (other !== x && scaled?.op === 'scale') factor *= scaled.attrs.factor
        isTimesX = true
      } else break
      last = next
    }
    return isTimesX && isNear(factor, 0.5) ? { x, last } : undefined
  }

  #onlyUser(node: Node): Node | undefined {
    const users = this.#users.get(node.id) ?? []
    return users.length === 1 && !this.#outputs.has(node.id) ? users[0] : undefined
  }

  #isOne(id: string): boolean {
    const node = this.#nodes.get(id)
    return node?.op === 'constant' && node.attrs.values.length === 1 && node.attrs.values[0] === 1
  }
}

function isNear(value: number, expected: number): boolean {
  return Math.abs(value - expected) <= tolerance * expected
}
