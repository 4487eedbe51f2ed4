import { ConfigError } from '../../errors.ts'
import type { Boundary, Cut } from './cut.ts'

/** A boundary tensor that arrives `depth` ticks late: a queue between the two segments. */
export interface DelayedBoundary extends Boundary {
  /** Ticks between writing and reading; 0 for an ordinary edge. */
  readonly depth: number
}

/** A cut with queues. */
export interface DelayedCut extends Omit<Cut, 'edges'> {
  readonly edges: readonly DelayedBoundary[]
}

/**
 * Puts queues on edges. At tick t the reader sees what was written at tick t − depth; before that, nothing has arrived and the reading segment does not run
 * ({@link firstTick}). With depth 0 everywhere it is the cut itself.
 * @param depth - Ticks by edge
 * @throws {ConfigError} CONFIG for a depth that is no whole number from 0 on
 * @see Zhuang, Tan, Liu, Accumulated decoupled learning / Fully decoupled neural network learning using delayed gradients, 2019
 */
export function delay(whole: Cut, depth: (edge: Boundary) => number): DelayedCut {
  const edges = whole.edges.map((edge) => {
    const ticks = depth(edge)
    if (!Number.isInteger(ticks) || ticks < 0) {
      throw new ConfigError(`delay: ${edge.name} cannot wait ${ticks} ticks — expected a whole number from 0 on`)
    }
    return { ...edge, depth: ticks }
  })
  return { ...whole, edges }
}

/** The first tick at which each segment has all it reads: the warm-up guard of a delayed cut. */
export function firstTick({ segments, edges }: DelayedCut): number[] {
  const ticks = segments.map(() => 0)
  // Segments only read earlier ones, so one pass in order settles all.
  segments.forEach((_, s) => {
    for (const edge of edges) {
      if (edge.to.includes(s)) ticks[s] = Math.max(ticks[s] as number, (ticks[edge.from] as number) + edge.depth)
    }
  })
  return ticks
}
