import { ConfigError } from '../../errors.ts'
import { GraphBuilder } from '../builder.ts'
import { gradientPrefix } from '../graph.ts'
import type { Graph } from '../graph.ts'

/** Prefix of the inputs that hold what earlier micro-batches summed: `summed:loss`, `summed:gradient:c1.weight`. */
export const summedPrefix = 'summed:'

/** A batch in parts. */
export interface MicroBatches {
  /** The graph of one part: loss and gradients are added to the inputs `summed:<output>`, so that parts can run in place one after the other. */
  readonly graph: Graph
  /** Rows `[start, end)` of each part; sizes differ by at most one. */
  readonly parts: readonly { readonly start: number; readonly end: number }[]
}

/**
 * Micro-batches: the same training graph, run over m parts of a batch, adds up the gradients. Losses are partial sums (Σ wᵢ·ℓᵢ / divisor), so parts of
 * uneven size add up exactly; batch norm sees one part at a time.
 * @param batchSize - Rows of the whole
 * @param m - Number of parts
 * @throws {ConfigError} CONFIG unless 1 ≤ m ≤ batchSize
 * @see Huang et al., GPipe, NeurIPS 2019
 */
export function micro(graph: Graph, batchSize: number, m: number): MicroBatches {
  if (!Number.isInteger(m) || m < 1 || m > batchSize) {
    throw new ConfigError(`micro: the batch cannot be parted — expected 1 to ${batchSize} parts of its ${batchSize} rows, got ${m}`)
  }
  const builder = GraphBuilder.from(graph)
  for (const { name, value, shape, dtype } of graph.outputs) {
    const isSum = name === 'loss' || name.startsWith(gradientPrefix)
    const own = builder.value(value)
    builder.output(name, isSum ? builder.add('add', [builder.input(summedPrefix + name, shape, dtype), own], {}) : own)
  }
  const parts = Array.from({ length: m }, (_, k) => ({
    start: Math.floor((k * batchSize) / m),
    end: Math.floor(((k + 1) * batchSize) / m),
  }))
  return { graph: builder.build(), parts }
}
