import { DataError } from '../errors.ts'
import { elementsPerSample, isBatchDim, parameterPrefix, perSample } from '../graph/graph.ts'
import type { Graph, Node, Shape } from '../graph/graph.ts'

/** What an element of a row may be: a number from 0 to `rows` − 1 of a table. */
export interface TokenRange {
  /** The parameter, or the layer that uses it. */
  readonly table: string
  readonly rows: number
}

/** By element of a row: the smallest table that it picks rows of, or undefined where the graph says nothing of it. */
export type TokenRanges = readonly (TokenRange | undefined)[]

/**
 * Which numbers an int32 input may hold, read from the graph: its elements are followed through slices, reshapes and transposes to the tables
 * that they pick rows of. Elements that are computed with before are left open.
 */
export function tokenRanges(graph: Graph, input: string): TokenRanges {
  const shapes = new Map<string, Shape>(graph.inputs.map(({ name, shape }) => [name, shape]))
  const width = elementsPerSample(shapes.get(input) ?? [])
  const ranges = new Array<TokenRange | undefined>(width).fill(undefined)
  /** Value → which elements of a row it holds. */
  const places = new Map<string, readonly number[]>([[input, Array.from({ length: width }, (_, i) => i)]])
  for (const node of graph.nodes) {
    shapes.set(node.id, node.shape)
    const [first = '', second = ''] = node.inputs
    if (node.op === 'embedding') {
      const range = { table: tableName(first, node), rows: Number(shapes.get(first)?.[0]) }
      for (const place of places.get(second) ?? []) if (range.rows < (ranges[place]?.rows ?? Infinity)) ranges[place] = range
      continue
    }
    const held = places.get(first)
    const moved = held && movedBy(node, held, shapes.get(first) ?? [])
    if (moved !== undefined) places.set(node.id, moved)
  }
  return ranges
}

/**
 * Looks through rows of numbers.
 * @param values - Row after row
 * @param what - Beginning of the message, such as `predict: tokens cannot be used`
 * @throws {DataError} DATA naming row, column, number and range of the first that is none of its table's
 */
export function requireTokens(values: ArrayLike<number>, ranges: TokenRanges, what: string): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    const range = ranges[i % ranges.length]
    if (Number.isInteger(value) && (range === undefined || (value >= 0 && value < range.rows))) continue
    const [row, column] = [Math.floor(i / ranges.length), i % ranges.length]
    const expected = range === undefined ? 'whole numbers' : `whole numbers from 0 to ${range.rows - 1} (rows of ${range.table})`
    throw new DataError(`${what} — expected ${expected}, got ${value} in row ${row}, column ${column}`, { row, column, value })
  }
}

function tableName(value: string, { layer }: Node): string {
  return value.startsWith(parameterPrefix) ? value.slice(parameterPrefix.length) : (layer ?? value)
}

/** The elements that a node hands on, in its order; undefined where it computes something else. */
function movedBy(node: Node, held: readonly number[], shape: Shape): readonly number[] | undefined {
  const extents = shape.map(perSample)
  const isFirst = (dims: Shape): boolean => dims.findIndex(isBatchDim) <= 0
  switch (node.op) {
    case 'reshape':
      // Samples stay pieces of their own only where they come one after the other.
      return isFirst(shape) && isFirst(node.shape) ? held : undefined
    case 'slice': {
      const { dim, start, end } = node.attrs
      const inner = extents.slice(dim + 1).reduce((product, extent) => product * extent, 1)
      const extent = extents[dim] as number
      return held.filter((_, i) => {
        const at = Math.floor(i / inner) % extent
        return at >= start && at < end
      })
    }
    case 'transpose': {
      const strides = extents.map((_, d) => extents.slice(d + 1).reduce((product, extent) => product * extent, 1))
      return node.attrs.permutation
        .reduce<number[]>(
          (offsets, dim) =>
            offsets.flatMap((offset) => Array.from({ length: extents[dim] as number }, (_, i) => offset + i * (strides[dim] as number))),
          [0],
        )
        .map((offset) => held[offset] as number)
    }
    default:
      return undefined
  }
}
