import type { Shape } from '../graph.ts'

/** One number for each spatial dim, slowest first: vertical and horizontal, or depth, vertical and horizontal. */
export type Extents = readonly number[]

/** How a window moves over an image; `padding` planes, rows and columns of zeros (of nothing, for a maximum) are added on both sides. */
export interface WindowAttributes {
  readonly stride: Extents
  readonly padding: Extents
}

/** A convolution: `dilation` is the distance between the taps of a filter; `groups` of channels see filters of their own. */
export interface ConvAttributes extends WindowAttributes {
  readonly dilation: Extents
  readonly groups: number
}

/** A pooling window. */
export interface PoolAttributes extends WindowAttributes {
  readonly kernel: Extents
}

/** An operator without attributes. */
export type NoAttributes = Readonly<Record<never, never>>

/** The attributes of every operator: plain JSON. What each operator computes is said beside its rule. */
export interface OpAttributes {
  readonly matmul: { readonly transposeA: boolean; readonly transposeB: boolean }
  readonly add: NoAttributes
  readonly sub: NoAttributes
  readonly mul: NoAttributes
  readonly div: NoAttributes
  readonly scale: { readonly factor: number }
  readonly fill: { readonly value: number; readonly shape: Shape }
  readonly relu: NoAttributes
  readonly reluGradient: NoAttributes
  readonly tanh: NoAttributes
  readonly tanhGradient: NoAttributes
  readonly sigmoid: NoAttributes
  readonly sigmoidGradient: NoAttributes
  readonly dropout: { readonly rate: number }
  readonly reshape: { readonly shape: Shape }
  readonly transpose: { readonly permutation: readonly number[] }
  readonly reduceSum: { readonly dims: readonly number[] }
  readonly broadcastTo: { readonly shape: Shape }
  readonly softmax: NoAttributes
  readonly logSoftmax: NoAttributes
  readonly conv: ConvAttributes
  readonly convInputGradient: ConvAttributes & { readonly size: Extents }
  readonly convFilterGradient: ConvAttributes & { readonly kernel: Extents }
  readonly avgPool: PoolAttributes
  readonly avgPoolGradient: PoolAttributes & { readonly size: Extents }
  readonly maxPool: PoolAttributes
  readonly maxPoolGradient: PoolAttributes
  readonly upsample: { readonly factor: Extents }
  readonly batchNorm: { readonly epsilon: number; readonly momentum: number }
  readonly batchNormTrain: { readonly epsilon: number }
  readonly batchStatistics: NoAttributes
  readonly batchNormReductions: { readonly epsilon: number }
  readonly batchNormInputGradient: { readonly epsilon: number }
  readonly runningStatisticStep: { readonly momentum: number; readonly statistic: 'mean' | 'variance'; readonly shape: Shape }
  readonly softmaxGradient: NoAttributes
  readonly softmaxCrossEntropy: NoAttributes
  readonly softmaxCrossEntropyGradient: NoAttributes
  readonly correctCount: NoAttributes
  readonly classCounts: NoAttributes
  readonly binaryCrossEntropy: NoAttributes
  readonly binaryCrossEntropyGradient: NoAttributes
  readonly exp: NoAttributes
  readonly log: NoAttributes
  readonly sqrt: NoAttributes
  readonly reciprocal: NoAttributes
  readonly erf: NoAttributes
  readonly abs: NoAttributes
  readonly absGradient: NoAttributes
  readonly square: NoAttributes
  readonly clip: { readonly min: number; readonly max: number }
  readonly clipGradient: { readonly min: number; readonly max: number }
  readonly gelu: NoAttributes
  readonly geluGradient: NoAttributes
  readonly silu: NoAttributes
  readonly siluGradient: NoAttributes
  readonly leakyRelu: { readonly slope: number }
  readonly leakyReluGradient: { readonly slope: number }
  readonly constant: { readonly values: readonly number[]; readonly shape: readonly number[]; readonly dtype: 'float32' | 'int32' }
  readonly equals: { readonly value: number }
  readonly batchMatmul: { readonly transposeA: boolean; readonly transposeB: boolean; readonly factor: number }
  readonly reduceMean: { readonly dims: readonly number[] }
  readonly reduceMax: { readonly dims: readonly number[] }
  readonly reduceMaxGradient: { readonly dims: readonly number[] }
  readonly concat: { readonly dim: number }
  readonly slice: { readonly dim: number; readonly start: number; readonly end: number }
  readonly pad: { readonly before: readonly number[]; readonly after: readonly number[] }
  readonly neighbourSum: { readonly from: readonly number[]; readonly to: readonly number[] }
  readonly modulo: { readonly divisor: number }
  readonly embedding: NoAttributes
  readonly embeddingGradient: { readonly rows: number }
  readonly layerNorm: { readonly epsilon: number }
  readonly layerNormGradient: { readonly epsilon: number }
  readonly layerNormGainGradient: { readonly epsilon: number }
  readonly lstm: NoAttributes
  readonly lstmGates: NoAttributes
  readonly lstmGradient: NoAttributes
  readonly lstmStateGradient: NoAttributes
  readonly gru: NoAttributes
  readonly gruGates: NoAttributes
  readonly gruGradient: NoAttributes
  readonly gruRecurrentGradient: NoAttributes
  readonly gruStateGradient: NoAttributes
}

/** The name of an operator. */
export type OpName = keyof OpAttributes
