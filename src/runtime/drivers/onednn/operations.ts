/**
 * The operations of oneDNN that we use, as plain records: what both versions of its C interface are told, each in its own way (`v2.ts`,
 * `v3.ts`).
 * @packageDocumentation
 */

/** Address of a native object. */
export type Pointer = bigint

/** Address of a memory descriptor: shape, element kind and order in memory. */
export type Descriptor = Pointer

/** How a window moves: one number for each spatial dim. `dilation` counts the gaps between taps, so 0 is dense. */
export interface Window {
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
  readonly padding: readonly number[]
}

/** Element-wise functions. Gradients take the function's value, but for those of `gelu` and `silu`, which take its argument. */
export type Activation = 'relu' | 'tanh' | 'sigmoid' | 'linear' | 'gelu' | 'silu'

/** What batch normalisation does beside normalising. */
export interface NormFlags {
  /** Mean and variance are inputs, not computed. */
  readonly globalStatistics: boolean
  readonly scale: boolean
  readonly shift: boolean
}

/** γ and β as inputs, statistics of what is normalised. */
export const withScaleAndShift: NormFlags = { globalStatistics: false, scale: true, shift: true }

interface Convolved extends Window {
  readonly src: Descriptor
  readonly weights: Descriptor
  readonly dst: Descriptor
}

interface Pooled extends Window {
  readonly kernel: readonly number[]
  readonly method: 'maximum' | 'mean'
  readonly src: Descriptor
  readonly dst: Descriptor
}

/** One operation. Backward operations take the descriptor of the forward operation (`hint`). */
export type Operation =
  | (Convolved & { readonly kind: 'convolution'; readonly bias: Descriptor | null; readonly training: boolean })
  | (Convolved & { readonly kind: 'convolution-data'; readonly hint: Pointer })
  | (Convolved & { readonly kind: 'convolution-weights'; readonly bias: Descriptor | null; readonly hint: Pointer })
  | (Pooled & { readonly kind: 'pooling'; readonly training: boolean })
  | (Pooled & { readonly kind: 'pooling-gradient'; readonly hint: Pointer })
  | { readonly kind: 'eltwise'; readonly activation: Activation; readonly alpha: number; readonly beta: number; readonly data: Descriptor }
  | {
      readonly kind: 'eltwise-gradient'
      readonly activation: Activation
      readonly alpha: number
      readonly data: Descriptor
      readonly hint: Pointer
    }
  | {
      readonly kind: 'binary'
      readonly operator: 'add' | 'mul' | 'sub' | 'div'
      readonly left: Descriptor
      readonly right: Descriptor
      readonly dst: Descriptor
    }
  | {
      readonly kind: 'matmul'
      /** Whether operands are better packed piece by piece than copied whole before the product begins. */
      readonly packs: boolean
      readonly src: Descriptor
      readonly weights: Descriptor
      readonly bias: Descriptor | null
      readonly dst: Descriptor
    }
  | { readonly kind: 'softmax'; readonly data: Descriptor; readonly dim: number }
  | { readonly kind: 'softmax-gradient'; readonly data: Descriptor; readonly dim: number; readonly hint: Pointer }
  | {
      readonly kind: 'layer-norm'
      readonly data: Descriptor
      /** Of mean and variance: one number for each row. */
      readonly statistics: Descriptor
      readonly epsilon: number
    }
  | {
      readonly kind: 'layer-norm-gradient'
      readonly data: Descriptor
      readonly statistics: Descriptor
      readonly epsilon: number
      readonly hint: Pointer
    }
  | {
      readonly kind: 'normalisation'
      readonly data: Descriptor
      readonly epsilon: number
      readonly flags: NormFlags
      readonly training: boolean
    }
  | {
      readonly kind: 'normalisation-gradient'
      readonly data: Descriptor
      readonly upstream: Descriptor
      readonly epsilon: number
      readonly flags: NormFlags
      readonly hint: Pointer
    }

/** Numbers that mean the same in both versions. */
export const propagation = { training: 64, inference: 96, backward: 128 } as const

/** Algorithms with the same number in both versions. */
export const algorithms = {
  convolution: 1,
  maximum: 511,
  mean: 767,
  add: 131_056,
  mul: 131_057,
  div: 131_060,
  sub: 131_061,
  softmax: 196_608,
} as const

/**
 * The backward algorithms of {@link Activation} in terms of the function's value: the same numbers in both versions. Others have the number
 * of the function.
 */
export const gradientAlgorithms: Readonly<Partial<Record<Activation, number>>> = { relu: 256, tanh: 257, sigmoid: 260 }

/** What a primitive's descriptor can be asked for. */
export const queries = {
  src: 129,
  diffSrc: 130,
  weights: 131,
  diffWeights: 132,
  dst: 133,
  diffDst: 134,
  workspace: 135,
  scratchpad: 136,
} as const

/** Numbers of a primitive's arguments. */
export const args = {
  src: 1,
  src1: 2,
  dst: 17,
  weights: 33,
  bias: 41,
  mean: 49,
  variance: 50,
  scale: 51,
  shift: 52,
  workspace: 64,
  scratchpad: 80,
  diffSrc: 129,
  diffDst: 145,
  diffWeights: 161,
  diffBias: 169,
  diffScale: 255,
  diffShift: 256,
} as const

/** Name of an argument. */
export type ArgumentName = keyof typeof args
