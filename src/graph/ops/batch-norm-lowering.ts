import { elementCount } from '../graph.ts'
import type { TensorType } from '../graph.ts'
import type { OpAttributes } from './attributes.ts'
import type { LowerContext } from './rule.ts'

/** What the lowerings of this file use of a context. */
type Context = Pick<LowerContext<unknown>, 'emit' | 'emitMany' | 'constant' | 'shared'>

/** Names of one statistic of every channel each. */
interface Moments {
  readonly mean: string
  readonly variance: string
}

/** An image as `[batch, channels, pixels]`. */
interface Planes {
  readonly batch: number
  readonly channels: number
  readonly pixels: number
}

function planesOf({ shape }: TensorType): Planes {
  const [batch, channels, ...size] = shape.map(Number) as [number, number, ...number[]]
  return { batch, channels, pixels: elementCount(size) }
}

/** n/(n − 1) for the n elements of a channel; 1 for a single one. */
export function unbiased(shape: readonly number[]): number {
  const n = elementCount(shape) / (shape[1] as number)
  return n > 1 ? n / (n - 1) : 1
}

const epsilonOf = (epsilon: number) => ({ epsilon: { float: epsilon } })

function reshape({ emit, constant }: Context, name: string, shape: readonly number[]): string {
  return emit('Reshape', [name, constant(shape, [shape.length], 'int64')])
}

/** The sum over one dim, which disappears. */
function sumOver({ emit, constant }: Context, name: string, dim: number): string {
  return emit('ReduceSum', [name, constant([dim], [1], 'int64')], { keepdims: 0 })
}

/** Sum of every channel: first over the pixels, which lie side by side. */
function sumOfChannels(context: Context, name: string, { batch, channels, pixels }: Planes): string {
  if (pixels === 1) return sumOver(context, reshape(context, name, [batch, channels]), 0)
  const rows = sumOver(context, reshape(context, name, [batch * channels, pixels]), 1)
  return sumOver(context, reshape(context, rows, [batch, channels]), 0)
}

function filled({ constant }: Context, value: number, channels: number): string {
  return constant(new Array<number>(channels).fill(value), [channels], 'float32')
}

/** scale·x + shift for every channel, in one pass. */
function affine(context: Context, x: string, scale: string, shift: string, { shape }: TensorType): string {
  const { channels, pixels } = planesOf({ shape, dtype: 'float32' })
  if (pixels > 1) {
    const unit = [filled(context, 0, channels), filled(context, 1, channels)]
    return context.emit('BatchNormalization', [x, scale, shift, ...unit], epsilonOf(0))
  }
  const ofChannel = (name: string): string => reshape(context, name, [channels, ...shape.slice(2).map(() => 1)])
  return context.emit('Add', [context.emit('Mul', [x, ofChannel(scale)]), ofChannel(shift)])
}

/** γ/√(σ² + ε) */
function scaleOf({ emit, constant }: Context, gamma: string, variance: string, epsilon: number): string {
  return emit('Div', [gamma, emit('Sqrt', [emit('Add', [variance, constant([epsilon], [], 'float32')])])])
}

/** Normalisation with given statistics. */
function normalise(context: Context, operands: readonly string[], moments: Moments, type: TensorType, epsilon: number): string {
  const { emit } = context
  const [x, gamma, beta] = operands as [string, string, string]
  if (planesOf(type).pixels > 1) return emit('BatchNormalization', [x, gamma, beta, moments.mean, moments.variance], epsilonOf(epsilon))
  const scale = scaleOf(context, gamma, moments.variance, epsilon)
  return affine(context, x, scale, emit('Sub', [beta, emit('Mul', [moments.mean, scale])]), type)
}

/** ONNX's own operator in a file; one of a plain matrix is faster element by element. */
export function lowerBatchNorm(context: LowerContext<OpAttributes['batchNorm']>): string {
  const { emit, inputs, type, attrs, target } = context
  if (target === 'portable') return emit('BatchNormalization', inputs, epsilonOf(attrs.epsilon))
  const [, , , mean, variance] = inputs as [string, string, string, string, string]
  return normalise(context, inputs.slice(0, 3), { mean, variance }, type, attrs.epsilon)
}

/** Under this name the statistics of a value are shared by whatever computes them first. */
const momentsKey = (x: string): string => `batch statistics ${x}`

/** One kernel normalises and hands out the statistics that it used. */
export function lowerBatchNormTrain(context: LowerContext<OpAttributes['batchNormTrain']>): string {
  const { inputs, emit, emitMany, constant, shared, type, attrs } = context
  const operands = [...inputs] as [string, string, string]
  const { pixels } = planesOf(type)
  let value: string | undefined
  const moments = shared(momentsKey(operands[0]), () => {
    if (pixels === 1) return momentsOf(context, operands[0], type)
    // Running statistics with momentum 0 are those of the batch. The kernel writes them over the old ones, even if these are constants: they
    // must be memory of their own.
    const nothing = (of: string): string => emit('Mul', [of, constant([0], [], 'float32')])
    const old = [nothing(operands[1]), nothing(operands[2])]
    const attributes = { ...epsilonOf(attrs.epsilon), momentum: { float: 0 }, training_mode: 1 }
    const [y, mean, variance] = emitMany('BatchNormalization', [...operands, ...old], attributes, 3) as [string, string, string]
    value = y
    return { mean, variance }
  })
  return value ?? normalise(context, operands, moments, type, attrs.epsilon)
}

/** Statistics that nothing else has computed: in a graph without the normalisation itself. */
function momentsOf(context: Context, x: string, type: TensorType): Moments {
  const { emit, constant } = context
  const planes = planesOf(type)
  const { batch, channels, pixels } = planes
  const share = constant([1 / (batch * pixels)], [], 'float32')
  const mean = emit('Mul', [sumOfChannels(context, x, planes), share])
  const centred = emit('Sub', [reshape(context, x, [batch, channels, pixels]), reshape(context, mean, [channels, 1])])
  return { mean, variance: emit('Mul', [sumOfChannels(context, emit('Mul', [centred, centred]), planes), share]) }
}

/** Two rows of one number for each channel. */
function rows(context: Context, first: string, second: string, channels: number): string {
  return context.emit('Concat', [reshape(context, first, [1, channels]), reshape(context, second, [1, channels])], { axis: 0 })
}

function row({ emit, constant, shared }: Context, name: string, number: number): string {
  return shared(`row ${number} of ${name}`, () => emit('Gather', [name, constant([number], [], 'int64')], { axis: 0 }))
}

/** Statistics as one value: from the normalisation where it is in the same graph. */
export function lowerStatistics(context: LowerContext<OpAttributes['batchStatistics']>): string {
  const { inputs, inputTypes, shared } = context
  const [x, type] = [inputs[0] as string, inputTypes[0] as TensorType]
  const moments = shared(momentsKey(x), () => momentsOf(context, x, type))
  return rows(context, moments.mean, moments.variance, Number(type.shape[1]))
}

/** From here on a batched product of single rows beats multiplying and summing: fewer passes, but a call for each row. */
const longRow = 256

/**
 * Σ dL/dy, and Σ dL/dy·x̂ = (Σ dL/dy·x − μ·Σ dL/dy)/√(σ² + ε), with the difference taken row by row: it costs log₂ |μ/σ| bits of the
 * gradient of γ, and saves a pass over x.
 */
export function lowerReductions(context: LowerContext<OpAttributes['batchNormReductions']>): string {
  const { emit, inputs, inputTypes, attrs } = context
  const [x, upstream, statistics] = inputs as [string, string, string]
  const { batch, channels, pixels } = planesOf(inputTypes[0] as TensorType)
  const [mean, variance] = [row(context, statistics, 0), row(context, statistics, 1)]
  const byRow = (name: string): string => reshape(context, name, [batch, channels])
  const flat = (name: string): string => reshape(context, name, [batch * channels, pixels])
  const single = (name: string): string => reshape(context, name, [batch * channels, 1, pixels])
  const sums = pixels === 1 ? byRow(upstream) : byRow(sumOver(context, flat(upstream), 1))
  const products =
    pixels >= longRow
      ? emit('FusedMatMul', [single(x), single(upstream)], { transB: 1 }, { domain: 'com.microsoft' })
      : emit('Mul', [x, upstream])
  const dots = byRow(pixels > 1 && pixels < longRow ? sumOver(context, flat(products), 1) : products)
  const deviations = sumOver(context, emit('Sub', [dots, emit('Mul', [sums, mean])]), 0)
  return rows(context, sumOver(context, sums, 0), emit('Mul', [deviations, inverseDeviation(context, variance, attrs.epsilon)]), channels)
}

/** 1/√(σ² + ε) */
function inverseDeviation(context: Context, variance: string, epsilon: number): string {
  return scaleOf(context, context.constant([1], [], 'float32'), variance, epsilon)
}

/** dL/dx = a·dL/dy + b·x + d with three numbers for each channel: two passes and a sum. */
export function lowerInputGradient(context: LowerContext<OpAttributes['batchNormInputGradient']>): string {
  const { emit, inputs, constant, type, attrs } = context
  const [x, upstream, gamma, statistics, sums] = inputs as [string, string, string, string, string]
  const { batch, channels, pixels } = planesOf(type)
  const [mean, variance] = [row(context, statistics, 0), row(context, statistics, 1)]
  const scale = scaleOf(context, gamma, variance, attrs.epsilon)
  const share = emit('Mul', [scale, constant([-1 / (batch * pixels)], [], 'float32')])
  const ofX = emit('Mul', [emit('Mul', [share, row(context, sums, 1)]), inverseDeviation(context, variance, attrs.epsilon)])
  const shift = emit('Sub', [emit('Mul', [share, row(context, sums, 0)]), emit('Mul', [ofX, mean])])
  return emit('Add', [affine(context, upstream, scale, shift, type), affine(context, x, ofX, filled(context, 0, channels), type)])
}

/** momentum·share·(running − statistic) */
export function lowerRunningStep(context: LowerContext<OpAttributes['runningStatisticStep']>): string {
  const { emit, inputs, constant, shared, attrs } = context
  const [running, statistics, share] = inputs as [string, string, string]
  const weight = shared(`share ${share} ${attrs.momentum}`, () => emit('Mul', [share, constant([attrs.momentum], [], 'float32')]))
  const isMean = attrs.statistic === 'mean'
  const found = row(context, statistics, isMean ? 0 : 1)
  const statistic = isMean ? found : emit('Mul', [found, constant([unbiased(attrs.shape.map(Number))], [], 'float32')])
  return emit('Mul', [emit('Sub', [running, statistic]), weight])
}
