/**
 * Interprets graphs in float64, operator by operator, as plainly as possible: slow, and the oracle of the tests. Arrays are read and
 * written in their own element kind; everything between is float64.
 * @packageDocumentation
 */
import { BackendError } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { ruleOf } from '../../graph/ops/table.ts'
import type { ReferenceTensor } from '../../graph/ops/rule.ts'
import { bufferFor, interfaceOf } from '../bind-buffers.ts'
import type { Buffers, Executable } from '../executable.ts'

/** "Compiles" a bound graph: nothing but checks of the bound arrays. */
export async function compileReference(graph: Graph): Promise<Executable> {
  const { inputs, outputs } = interfaceOf(graph)
  let isOpen = true
  const close = async (): Promise<void> => {
    isOpen = false
  }
  const bind = (buffers: Buffers): ReturnType<Executable['bind']> => {
    const feeds = inputs.map((info) => ({ info, array: bufferFor(info, buffers) }))
    const fetches = outputs.map((info) => ({ info, array: bufferFor(info, buffers) }))
    return {
      async run() {
        if (!isOpen) throw new BackendError('reference: the executable is closed — expected an open one (compile again)')
        const fed = Object.fromEntries(feeds.map(({ info, array }) => [info.name, Float64Array.from(array)]))
        const values = evaluate(graph, fed)
        fetches.forEach(({ info, array }) => {
          array.set(values[info.name] as Float64Array)
        })
      },
    }
  }
  return { inputs, outputs, bind, close, [Symbol.asyncDispose]: close }
}

/**
 * Values of all outputs of a bound graph, in float64 throughout.
 * @param feeds - Input values by name
 */
export function evaluate(graph: Graph, feeds: Readonly<Record<string, Float64Array>>): Record<string, Float64Array> {
  const values = new Map<string, ReferenceTensor>()
  for (const { name, shape } of graph.inputs) {
    const data = feeds[name]
    if (data === undefined) throw new BackendError(`reference: there is no value for ${name} — expected one for every input`)
    values.set(name, { shape: shape.map(Number), data })
  }
  for (const node of graph.nodes) {
    const shape = node.shape.map(Number)
    const inputs = node.inputs.map((id) => values.get(id) as ReferenceTensor)
    values.set(node.id, { shape, data: ruleOf(node.op).evaluate({ inputs, shape, attrs: node.attrs }) })
  }
  return Object.fromEntries(graph.outputs.map(({ name, value }) => [name, (values.get(value) as ReferenceTensor).data]))
}
