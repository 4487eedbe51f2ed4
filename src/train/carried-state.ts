import { bindShape, carriedPrefix, carryPrefix, elementCount } from '../graph/graph.ts'
import type { Graph } from '../graph/graph.ts'
import type { Kernels } from '../kernels/kernels.ts'
import type { Allocate } from './buffers.ts'

type Flat = Float32Array<ArrayBuffer>

/**
 * What one batch of running text hands to the next: the hidden state of a recurrent network, row for row. It is zero where an epoch begins.
 * A graph reads `carry:<name>` and writes `carried:<name>`; both of a batch lie here.
 */
export class CarriedState {
  readonly #pairs: readonly { readonly name: string; readonly into: Flat; readonly out: Flat }[]

  /** @param rows - Rows of a batch. */
  constructor(graph: Graph, rows: number, allocate: Allocate) {
    this.#pairs = graph.inputs
      .filter(({ name }) => name.startsWith(carryPrefix))
      .map(({ name, shape }) => {
        const length = elementCount(bindShape(shape, rows))
        return { name: name.slice(carryPrefix.length), into: allocate('float32', length, name), out: allocate('float32', length, name) }
      })
  }

  /** Arrays for the rows `[start, end)` of `rows`, by the names of the graph's inputs and outputs. */
  arrays(start: number, end: number, rows: number): Record<string, Flat> {
    const part = (array: Flat): Flat => array.subarray((start * array.length) / rows, (end * array.length) / rows)
    return Object.fromEntries(
      this.#pairs.flatMap(({ name, into, out }) => [
        [`${carryPrefix}${name}`, part(into)],
        [`${carriedPrefix}${name}`, part(out)],
      ]),
    )
  }

  /** What the last batch wrote, by the names of the graph's outputs: where a run goes on from. */
  get written(): Readonly<Record<string, Flat>> {
    return Object.fromEntries(this.#pairs.map(({ name, out }) => [carriedPrefix + name, out]))
  }

  /** Before the first batch of a text. */
  clear(): void {
    for (const { into } of this.#pairs) into.fill(0)
  }

  /** Before every other batch: what the last one wrote is what the next one reads. */
  handOn(kernels: Kernels): void {
    for (const { into, out } of this.#pairs) kernels.copy(out, into)
  }
}
