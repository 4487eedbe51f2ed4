/**
 * Metrics: what an evaluation reports and early stopping watches, computed from sums over the evaluation rows, so that ranks can share
 * the rows out and add up.
 * @packageDocumentation
 */
import { ConfigError } from '../errors.ts'
import type { GraphBuilder, Value } from '../graph/builder.ts'
import { positionRows } from './losses.ts'
import type { LossInputs, LossName } from './losses.ts'

/** One metric. */
interface Metric {
  readonly better: 'higher' | 'lower'
  /** Least and greatest value that it can have. */
  readonly range: readonly [number, number]
  /** Losses with which it makes sense. */
  readonly losses: readonly LossName[]
  /** Numbers that a batch adds up beside its loss, as a graph; absent where the loss is enough. */
  tally?(builder: GraphBuilder, inputs: Omit<LossInputs, 'divisor'>): Value
  /**
   * The metric of all rows.
   * @param loss - Mean loss
   * @param tally - Sums of the tallies
   * @param weight - What the mean loss was divided by
   */
  value(loss: number, tally: ArrayLike<number>, weight: number): number
}

const anyLoss: readonly LossName[] = ['cross-entropy', 'binary-cross-entropy', 'mean-squared-error']

/** Every metric by name. */
export const metrics = {
  /** Share of positions whose largest score is the target's. */
  accuracy: {
    better: 'higher',
    range: [0, 1],
    losses: ['cross-entropy'],
    tally(builder, inputs) {
      const { output, target, weight } = positionRows(builder, inputs)
      return builder.add('correctCount', [output, target, weight], {})
    },
    value: (_, tally, weight) => (tally[0] as number) / weight,
  },
  /** e to the mean loss: how many words a language model hesitates between. */
  perplexity: { better: 'lower', range: [1, Infinity], losses: ['cross-entropy'], value: (loss) => Math.exp(loss) },
  /** Mean over the classes of |predicted ∩ true| / |predicted ∪ true|; a class that is neither predicted nor true is left out. */
  meanIou: {
    better: 'higher',
    range: [0, 1],
    losses: ['cross-entropy'],
    tally(builder, inputs) {
      const { output, target, weight } = positionRows(builder, inputs)
      return builder.add('classCounts', [output, target, weight], {})
    },
    value: (_, tally) => meanIntersectionOverUnion(tally),
  },
  /** The mean loss itself. */
  loss: { better: 'lower', range: [0, Infinity], losses: anyLoss, value: (loss) => loss },
  /** Root of the mean squared error. */
  rmse: { better: 'lower', range: [0, Infinity], losses: ['mean-squared-error'], value: (loss) => Math.sqrt(loss) },
} as const satisfies Readonly<Record<string, Metric>>

/** Name of a metric. */
export type MetricName = keyof typeof metrics

/** The metric of this name. */
export function metricOf(name: MetricName): Metric {
  return metrics[name]
}

/** @throws {ConfigError} CONFIG when a metric can never have the value that a run is to end at */
export function requireReachable(name: MetricName, value: number): void {
  const [least, most] = metricOf(name).range
  if (value >= least && value <= most) return
  const expected = most === Infinity ? `from ${least} on` : `from ${least} to ${most}`
  const mend = most === 1 && value <= 100 && value > 1 ? ` (${value} % is ${value / 100})` : ''
  throw new ConfigError(`until: ${name} never gets there — expected a value ${expected}, got ${value}${mend}`)
}

/** What is reported where nothing else is asked for. */
export function defaultMetric(loss: LossName): MetricName {
  if (loss === 'cross-entropy') return 'accuracy'
  return loss === 'mean-squared-error' ? 'rmse' : 'loss'
}

/** @throws {ConfigError} CONFIG when there is no metric of this name, or the loss has no use for it */
export function requireMetric(name: string, loss: LossName): MetricName {
  const usable = (Object.keys(metrics) as MetricName[]).filter((metric) => metricOf(metric).losses.includes(loss))
  const found = usable.find((metric) => metric === name)
  if (found === undefined)
    throw new ConfigError(`metric: ${JSON.stringify(name)} does not fit ${loss} — expected one of ${usable.join(', ')}`)
  return found
}

/** @param counts - `[3, classes]`: right, predicted, true */
function meanIntersectionOverUnion(counts: ArrayLike<number>): number {
  const classes = counts.length / 3
  let sum = 0
  let present = 0
  for (let k = 0; k < classes; k++) {
    const [right, predicted, actual] = [counts[k], counts[classes + k], counts[2 * classes + k]] as [number, number, number]
    const union = predicted + actual - right
    if (union === 0) continue
    sum += right / union
    present++
  }
  return present === 0 ? 0 : sum / present
}
