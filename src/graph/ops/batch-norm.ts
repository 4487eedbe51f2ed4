/**
 * Batch normalisation, x̂ = (x − μ)/√(σ² + ε), y = γ·x̂ + β for every channel (dim 1), over all other dims. `batchNorm` is what a model holds and
 * what a trained model computes, with running statistics; in training it becomes `batchNormTrain`, with those of the batch, whose gradient goes
 * through the statistics as well.
 * @see Ioffe, Szegedy, Batch normalization: accelerating deep network training by reducing internal covariate shift, ICML 2015
 */
import { ShapeError } from '../../errors.ts'
import type { Value } from '../builder.ts'
import { elementCount, formatShape } from '../graph.ts'
import type { Dim, Shape, TensorType } from '../graph.ts'
import type { OpAttributes } from './attributes.ts'
import {
  lowerBatchNorm,
  lowerBatchNormTrain,
  lowerInputGradient,
  lowerReductions,
  lowerRunningStep,
  lowerStatistics,
  unbiased,
} from './batch-norm-lowering.ts'
import { requireFloat } from './elementwise.ts'
import { requireSameShape } from './require-shape.ts'
import { bindShapeAttribute, float32 } from './rule.ts'
import type { OpRule, ReferenceTensor } from './rule.ts'

/** @throws {ShapeError} SHAPE unless the first input has channels and all others are one number for each of them */
function requireChannels(inputs: readonly TensorType[], layer: string): number {
  requireFloat(inputs, layer)
  const [{ shape }, ...ofChannel] = inputs as [TensorType, ...TensorType[]]
  const channels = shape[1]
  if (shape.length < 2 || typeof channels !== 'number') {
    throw new ShapeError(`${layer}: batch norm takes channels — expected [batch, channels, …], got ${formatShape(shape)}`)
  }
  for (const input of ofChannel) requireSameShape([channels], input.shape, layer)
  return channels
}

/** All dims but that of the channels. */
function otherDims(shape: Shape): number[] {
  return shape.map((_, d) => d).filter((d) => d !== 1)
}

/** Calls `visit` with every element's number and its channel's. */
function forEachOfChannel({ shape }: { readonly shape: readonly number[] }, visit: (element: number, channel: number) => void): void {
  const channels = shape[1] as number
  const pixels = elementCount(shape.slice(2))
  for (let i = 0; i < elementCount(shape); i++) visit(i, Math.floor(i / pixels) % channels)
}

/** Mean and variance (divided by n) of every channel. */
function statisticsOf(x: ReferenceTensor): { readonly mean: Float64Array; readonly variance: Float64Array } {
  const channels = x.shape[1] as number
  const [mean, variance] = [new Float64Array(channels), new Float64Array(channels)]
  const n = x.data.length / channels
  forEachOfChannel(x, (i, c) => {
    mean[c] = (mean[c] as number) + (x.data[i] as number) / n
  })
  forEachOfChannel(x, (i, c) => {
    variance[c] = (variance[c] as number) + ((x.data[i] as number) - (mean[c] as number)) ** 2 / n
  })
  return { mean, variance }
}

function normalise(
  x: ReferenceTensor,
  gamma: ArrayLike<number>,
  beta: ArrayLike<number>,
  { mean, variance }: { readonly mean: ArrayLike<number>; readonly variance: ArrayLike<number> },
  epsilon: number,
): Float64Array {
  const result = new Float64Array(x.data.length)
  forEachOfChannel(x, (i, c) => {
    const deviation = (x.data[i] as number) - (mean[c] as number)
    result[i] = (deviation / Math.sqrt((variance[c] as number) + epsilon)) * (gamma[c] as number) + (beta[c] as number)
  })
  return result
}

/** Normalisation of x with running statistics: x, γ, β, running mean, running variance. */
export const batchNorm: OpRule<OpAttributes['batchNorm']> = {
  arity: [5, 5],
  infer(inputs, _, { layer }) {
    requireChannels(inputs, layer)
    return float32((inputs[0] as TensorType).shape)
  },
  gradient({ add, inputs, upstream, attrs, needs }) {
    const [x, gamma, , mean, variance] = inputs as [Value, Value, Value, Value, Value]
    const dims = otherDims(x.shape)
    const filled = (value: number): Value => add('fill', [], { value, shape: gamma.shape })
    const normalised = (): Value => add('batchNorm', [x, filled(1), filled(0), mean, variance], attrs)
    return [
      needs(0) ? add('batchNorm', [upstream, gamma, filled(0), filled(0), variance], attrs) : undefined,
      needs(1) ? add('reduceSum', [add('mul', [upstream, normalised()], {})], { dims }) : undefined,
      needs(2) ? add('reduceSum', [upstream], { dims }) : undefined,
    ]
  },
  lower: lowerBatchNorm,
  evaluate({ inputs, attrs }) {
    const [x, gamma, beta, mean, variance] = inputs.map((input) => input.data) as [Float64Array, ...Float64Array[]]
    const shape = (inputs[0] as ReferenceTensor).shape
    const of = (values: Float64Array | undefined): Float64Array => values ?? new Float64Array()
    return normalise({ shape, data: x }, of(gamma), of(beta), { mean: of(mean), variance: of(variance) }, attrs.epsilon)
  },
}

/** Normalisation of x with the statistics of this batch: x, γ, β. */
export const batchNormTrain: OpRule<OpAttributes['batchNormTrain']> = {
  arity: [3, 3],
  infer(inputs, _, { layer }) {
    requireChannels(inputs, layer)
    return float32((inputs[0] as TensorType).shape)
  },
  gradient({ add, inputs, upstream, attrs, needs }) {
    const [x, gamma] = inputs as [Value, Value]
    const statistics = add('batchStatistics', [x], {})
    const sums = add('batchNormReductions', [x, upstream, statistics], attrs)
    const row = (start: number): Value => add('reshape', [add('slice', [sums], { dim: 0, start, end: start + 1 })], { shape: gamma.shape })
    return [
      needs(0) ? add('batchNormInputGradient', [x, upstream, gamma, statistics, sums], attrs) : undefined,
      needs(1) ? row(1) : undefined,
      needs(2) ? row(0) : undefined,
    ]
  },
  lower: lowerBatchNormTrain,
  evaluate({ inputs, attrs }) {
    const [x, gamma, beta] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor]
    return normalise(x, gamma.data, beta.data, statisticsOf(x), attrs.epsilon)
  },
}

/** Statistics of every channel of x: `[2, channels]`, the means and the variances (divided by n). */
export const batchStatistics: OpRule<OpAttributes['batchStatistics']> = {
  arity: [1, 1],
  infer: (inputs, _, { layer }) => float32([2, requireChannels(inputs, layer)]),
  lower: lowerStatistics,
  evaluate({ inputs }) {
    const { mean, variance } = statisticsOf(inputs[0] as ReferenceTensor)
    return Float64Array.from([...mean, ...variance])
  },
}

/** Sums over every channel of x, dL/dy and the statistics of x: `[2, channels]`, Σ dL/dy (that is dL/dβ) and Σ dL/dy·x̂ (dL/dγ). */
export const batchNormReductions: OpRule<OpAttributes['batchNormReductions']> = {
  arity: [3, 3],
  infer(inputs, _, { layer }) {
    const channels = requireChannels(inputs.slice(0, 1), layer)
    requireSameShape([2, channels], (inputs[2] as TensorType).shape, layer)
    return float32([2, channels])
  },
  lower: lowerReductions,
  evaluate({ inputs, attrs }) {
    const [x, upstream, statistics] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor]
    const channels = x.shape[1] as number
    const result = new Float64Array(2 * channels)
    const normalised = normaliseBy(x, statistics, attrs.epsilon)
    forEachOfChannel(x, (i, c) => {
      result[c] = (result[c] as number) + (upstream.data[i] as number)
      result[channels + c] = (result[channels + c] as number) + (upstream.data[i] as number) * (normalised[i] as number)
    })
    return result
  },
}

/** x̂ from a `[2, channels]` value of statistics. */
function normaliseBy(x: ReferenceTensor, statistics: ReferenceTensor, epsilon: number): Float64Array {
  const channels = x.shape[1] as number
  const [mean, variance] = [statistics.data.subarray(0, channels), statistics.data.subarray(channels)]
  return normalise(x, new Float64Array(channels).fill(1), new Float64Array(channels), { mean, variance }, epsilon)
}

/**
 * dL/dx of {@link batchNormTrain} from x, dL/dy, γ, the statistics of x and the sums of {@link batchNormReductions}:
 * γ/√(σ² + ε) · (dL/dy − Σ dL/dy / n − x̂ · Σ dL/dy·x̂ / n).
 */
export const batchNormInputGradient: OpRule<OpAttributes['batchNormInputGradient']> = {
  arity: [5, 5],
  infer(inputs, _, { layer }) {
    const [x, upstream, gamma, statistics, sums] = inputs as [TensorType, TensorType, TensorType, TensorType, TensorType]
    const channels = requireChannels([x, gamma], layer)
    requireSameShape(x.shape, upstream.shape, layer)
    for (const rows of [statistics, sums]) requireSameShape([2, channels], rows.shape, layer)
    return float32(x.shape)
  },
  lower: lowerInputGradient,
  evaluate({ inputs, attrs }) {
    const [x, upstream, gamma, statistics, sums] = inputs as [
      ReferenceTensor,
      ReferenceTensor,
      ReferenceTensor,
      ReferenceTensor,
      ReferenceTensor,
    ]
    const channels = x.shape[1] as number
    const n = x.data.length / channels
    const result = new Float64Array(x.data.length)
    const normalised = normaliseBy(x, statistics, attrs.epsilon)
    forEachOfChannel(x, (i, c) => {
      const scale = (gamma.data[c] as number) / Math.sqrt((statistics.data[channels + c] as number) + attrs.epsilon)
      const centred = (upstream.data[i] as number) - (sums.data[c] as number) / n
      result[i] = scale * (centred - ((normalised[i] as number) * (sums.data[channels + c] as number)) / n)
    })
    return result
  },
}

/**
 * What a step takes off a running statistic r, so that r ← (1 − momentum·share)·r + momentum·share·s: from r `[channels]`, the statistics
 * `[2, channels]` of a batch and its share in the whole batch (a scalar; over ranks and micro-batches the shares add up to 1).
 * `statistic` says which row s is: the mean, or the variance, which is divided by n − 1 here. `shape` is that of the normalised value.
 */
export const runningStatisticStep: OpRule<OpAttributes['runningStatisticStep']> = {
  arity: [3, 3],
  infer(inputs, _, { layer }) {
    requireFloat(inputs, layer)
    const [running, statistics, share] = inputs as [TensorType, TensorType, TensorType]
    requireSameShape([2, running.shape[0] as Dim], statistics.shape, layer)
    requireSameShape([], share.shape, layer)
    return float32(running.shape)
  },
  bind: bindShapeAttribute,
  lower: lowerRunningStep,
  evaluate({ inputs, attrs }) {
    const [running, statistics, share] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor]
    const channels = running.data.length
    const row = attrs.statistic === 'mean' ? 0 : channels
    const correction = attrs.statistic === 'mean' ? 1 : unbiased(attrs.shape.map(Number))
    return running.data.map((value, c) => {
      const statistic = correction * (statistics.data[row + c] as number)
      return attrs.momentum * (share.data[0] as number) * (value - statistic)
    })
  },
}
