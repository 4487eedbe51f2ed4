import type { Shape } from '../graph.ts'

/** Vertical and horizontal. */
export type Pair = readonly [number, number]

/** How a window moves over an image; `padding` rows and columns of zeros (of nothing, for a maximum) are added on both sides. */
export interface WindowAttributes {
  readonly stride: Pair
  readonly padding: Pair
}

/** A pooling window. */
export interface PoolAttributes extends WindowAttributes {
  readonly kernel: Pair
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
  readonly conv2d: WindowAttributes
  readonly conv2dInputGradient: WindowAttributes & { readonly size: Pair }
  readonly conv2dFilterGradient: WindowAttributes & { readonly kernel: Pair }
  readonly avgPool: PoolAttributes
  readonly avgPoolGradient: PoolAttributes & { readonly size: Pair }
  readonly maxPool: PoolAttributes
  readonly maxPoolGradient: PoolAttributes
  readonly softmaxCrossEntropy: NoAttributes
  readonly softmaxCrossEntropyGradient: NoAttributes
  readonly correctCount: NoAttributes
}

/** The name of an operator. */
export type OpName = keyof OpAttributes
