/**
 * Layers: pure functions that take a tensor and return one, and add nodes and parameters to the model that is being built.
 * @packageDocumentation
 */
import { ConfigError, ShapeError } from '../errors.ts'
import type { Dim, Shape } from '../graph/graph.ts'
import { elementsPerSample, formatShape } from '../graph/graph.ts'
import { init as initializers } from './parameter.ts'
import type { Initializer } from './parameter.ts'
import { traceOf } from './trace.ts'
import type { Tensor } from './trace.ts'

/** One number for both sides, or vertical and horizontal. */
export type Size = number | readonly [number, number]

/** Options of layers without parameters. */
export interface LayerOptions {
  /** Unique in the model; default the kind of layer and a number. */
  readonly name?: string
}

/** Options of {@link dense} and {@link conv2d}. */
export interface WeightedLayerOptions extends LayerOptions {
  /** First values of the weight (default He normal). The bias starts at 0. */
  readonly init?: Initializer
  /** Whether a bias is added (default true). */
  readonly bias?: boolean
}

/** Options of {@link conv2d}. */
export interface Conv2dOptions extends WeightedLayerOptions {
  /** Rows and columns of zeros around the image (default 0). */
  readonly padding?: Size
  /** Distance between positions (default 1). */
  readonly stride?: Size
}

/** Options of the pools. */
export interface PoolOptions extends LayerOptions {
  /** Distance between windows (default the window's size). */
  readonly stride?: Size
  /** Rows and columns around the image (default 0). */
  readonly padding?: Size
}

/**
 * x·Wᵀ + b.
 * @param x - `[batch, features]`
 * @param units - Number of outputs
 * @returns `[batch, units]`. Parameters: `<name>.weight` `[units, features]`, `<name>.bias` `[units]`
 * @throws {ShapeError} SHAPE unless x is a matrix
 */
export function dense(x: Tensor, units: number, options: WeightedLayerOptions = {}): Tensor {
  const { init = initializers.heNormal(), bias = true } = options
  const trace = traceOf(x)
  const layer = trace.layer('dense', options.name)
  requirePositive(layer, 'units', units)
  const features = x.shape[1]
  if (x.shape.length !== 2 || typeof features !== 'number') {
    throw new ShapeError(
      `${layer}: dense takes rows of features — expected [batch, features], got ${formatShape(x.shape)} (use nn.flatten)`,
    )
  }
  const inputs = [x, trace.parameter({ name: `${layer}.weight`, shape: [units, features], init, decay: true })]
  if (bias) inputs.push(trace.parameter({ name: `${layer}.bias`, shape: [units], init: initializers.zeros(), decay: false }))
  return x.builder.add('matmul', inputs, { transposeA: false, transposeB: true }, layer)
}

/**
 * Two-dimensional convolution (cross-correlation).
 * @param x - `[batch, in, height, width]`
 * @param channels - Number of filters
 * @param kernel - Height and width of the filters
 * @returns `[batch, channels, height', width']`, height' = ⌊(height + 2·padding − kernel) / stride⌋ + 1. Parameters: `<name>.weight`
 *   `[channels, in, kh, kw]`, `<name>.bias` `[channels]`
 * @throws {ShapeError} SHAPE unless x is an image at least as large as the kernel
 */
export function conv2d(x: Tensor, channels: number, kernel: Size, options: Conv2dOptions = {}): Tensor {
  const { init = initializers.heNormal(), bias = true, padding = 0, stride = 1 } = options
  const trace = traceOf(x)
  const layer = trace.layer('conv2d', options.name)
  requirePositive(layer, 'channels', channels)
  const inChannels = x.shape[1]
  if (x.shape.length !== 4 || typeof inChannels !== 'number') {
    throw new ShapeError(`${layer}: conv2d takes images — expected [batch, channels, height, width], got ${formatShape(x.shape)}`)
  }
  const shape = [channels, inChannels, ...pair(layer, 'kernel', kernel, 1)]
  const inputs = [x, trace.parameter({ name: `${layer}.weight`, shape, init, decay: true })]
  if (bias) inputs.push(trace.parameter({ name: `${layer}.bias`, shape: [channels], init: initializers.zeros(), decay: false }))
  return x.builder.add('conv2d', inputs, { stride: pair(layer, 'stride', stride, 1), padding: pair(layer, 'padding', padding, 0) }, layer)
}

/** Mean over windows of `kernel`; padding counts as zeros. `[batch, c, h, w]` → `[batch, c, h', w']`. */
export function avgPool(x: Tensor, kernel: Size, options: PoolOptions = {}): Tensor {
  return pool(x, 'avgPool', kernel, options)
}

/** Maximum over windows of `kernel`; the first of equal pixels gets the gradient. `[batch, c, h, w]` → `[batch, c, h', w']`. */
export function maxPool(x: Tensor, kernel: Size, options: PoolOptions = {}): Tensor {
  return pool(x, 'maxPool', kernel, options)
}

/** max(x, 0) */
export function relu(x: Tensor, options: LayerOptions = {}): Tensor {
  return x.builder.add('relu', [x], {}, traceOf(x).layer('relu', options.name))
}

/** tanh x */
export function tanh(x: Tensor, options: LayerOptions = {}): Tensor {
  return x.builder.add('tanh', [x], {}, traceOf(x).layer('tanh', options.name))
}

/** 1 / (1 + e^−x) */
export function sigmoid(x: Tensor, options: LayerOptions = {}): Tensor {
  return x.builder.add('sigmoid', [x], {}, traceOf(x).layer('sigmoid', options.name))
}

/** All dims of a sample in one: `[batch, …]` → `[batch, product]`. */
export function flatten(x: Tensor, options: LayerOptions = {}): Tensor {
  return rearrange(x, 'flatten', [elementsPerSample(x.shape)], options)
}

/** The same elements with other extents: `shape` is that of one sample, without the batch. */
export function reshape(x: Tensor, shape: readonly number[], options: LayerOptions = {}): Tensor {
  return rearrange(x, 'reshape', shape, options)
}

/** Sum of two tensors, with broadcasting. */
export function add(a: Tensor, b: Tensor, options: LayerOptions = {}): Tensor {
  return a.builder.add('add', [a, b], {}, traceOf(a).layer('add', options.name))
}

/**
 * In training, sets each element to 0 with probability `rate` and scales the others by 1/(1 − rate); in evaluation, does nothing.
 * The mask is an input `mask:<name>` of the training graph.
 * @throws {ConfigError} CONFIG unless 0 ≤ rate < 1
 * @see Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, JMLR 15, 2014
 */
export function dropout(x: Tensor, rate: number, options: LayerOptions = {}): Tensor {
  const layer = traceOf(x).layer('dropout', options.name)
  if (!(rate >= 0 && rate < 1)) throw new ConfigError(`${layer}: the dropout rate cannot be used — expected 0 ≤ rate < 1, got ${rate}`)
  return x.builder.add('dropout', [x], { rate }, layer)
}

function pool(x: Tensor, op: 'avgPool' | 'maxPool', kernel: Size, options: PoolOptions): Tensor {
  const layer = traceOf(x).layer(op, options.name)
  const { stride = kernel, padding = 0 } = options
  const window = pair(layer, 'kernel', kernel, 1)
  const attrs = { kernel: window, stride: pair(layer, 'stride', stride, 1), padding: pair(layer, 'padding', padding, 0) }
  if (attrs.padding.some((extent, d) => extent * 2 > (window[d] as number))) {
    throw new ConfigError(
      `${layer}: the padding is too large — expected at most half of the window [${window.join(', ')}], got [${attrs.padding.join(', ')}]`,
    )
  }
  return x.builder.add(op, [x], attrs, layer)
}

function rearrange(x: Tensor, kind: string, sample: readonly number[], options: LayerOptions): Tensor {
  const shape: Shape = [x.shape[0] as Dim, ...sample]
  return x.builder.add('reshape', [x], { shape }, traceOf(x).layer(kind, options.name))
}

function pair(layer: string, what: string, size: Size, smallest: number): readonly [number, number] {
  const both = typeof size === 'number' ? ([size, size] as const) : size
  for (const extent of both) {
    if (!Number.isInteger(extent) || extent < smallest) {
      throw new ConfigError(`${layer}: ${what} cannot be used — expected integers from ${smallest} on, got [${both.join(', ')}]`)
    }
  }
  return both
}

function requirePositive(layer: string, what: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new ConfigError(`${layer}: ${what} cannot be used — expected a positive integer, got ${value}`)
}
