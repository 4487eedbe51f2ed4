import { ConfigError } from '../errors.ts'

/**
 * How a parameter gets its first values; plain data. `fanIn` and `fanOut` are the numbers of inputs and outputs that one unit sees.
 * `glorot-uniform`: U(±√(6/(fanIn + fanOut))). `he-normal`: N(0, 2/fanIn). `he-uniform`: U(±√(6/fanIn)).
 * `uniform`: U(±limit). `normal`: N(0, std²). `constant`: every element is `value`.
 * @see Glorot, Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010
 * @see He et al., Delving deep into rectifiers, ICCV 2015
 */
export type Initializer =
  | { readonly kind: 'glorot-uniform' }
  | { readonly kind: 'he-normal' }
  | { readonly kind: 'he-uniform' }
  | { readonly kind: 'uniform'; readonly limit: number }
  | { readonly kind: 'normal'; readonly std: number }
  | { readonly kind: 'constant'; readonly value: number }

/** Initialisers, as layers take them: `nn.dense(x, 10, { init: nn.init.glorotUniform() })`. */
export const init = {
  glorotUniform: (): Initializer => ({ kind: 'glorot-uniform' }),
  heNormal: (): Initializer => ({ kind: 'he-normal' }),
  heUniform: (): Initializer => ({ kind: 'he-uniform' }),
  uniform: (limit: number): Initializer => ({ kind: 'uniform', limit }),
  normal: (std: number): Initializer => ({ kind: 'normal', std }),
  constant: (value: number): Initializer => ({ kind: 'constant', value }),
  zeros: (): Initializer => ({ kind: 'constant', value: 0 }),
} as const

/** One stored tensor of a model. */
export interface ParameterSpec {
  /** Layer and role: `c1.weight`, `c1.bias`. */
  readonly name: string
  readonly shape: readonly number[]
  readonly init: Initializer
  /** Whether weight decay applies: true for weights, false for biases. */
  readonly decay: boolean
  /**
   * Who changes it (default `'optimizer'`). `'statistic'`: a running statistic, such as the mean of a batch norm. Its "gradient" is what a
   * step takes off it, w ← w − g, with no rate, momentum, decay or clipping; a sum over ranks is the statistic of the whole batch, and whatever
   * averages or stores parameters does the same with it. `'nothing'`: frozen; it has no gradient.
   */
  readonly update?: 'optimizer' | 'statistic' | 'nothing'
}

/** Number of elements of a parameter. */
export function parameterLength(spec: ParameterSpec): number {
  return spec.shape.reduce((product, dim) => product * dim, 1)
}

/**
 * Inputs and outputs that one unit of a weight sees: `[out, in]` of a dense layer, `[out, in, …]` of a convolution.
 * @throws {ConfigError} CONFIG for other shapes
 */
export function fans(spec: ParameterSpec): { fanIn: number; fanOut: number } {
  const { name, shape } = spec
  if (shape.length >= 2) {
    const [filters, channels, ...kernel] = shape as [number, number, ...number[]]
    const taps = kernel.reduce((product, extent) => product * extent, 1)
    return { fanIn: channels * taps, fanOut: filters * taps }
  }
  throw new ConfigError(`${name}: ${spec.init.kind} does not apply — expected a matrix or a filter, got [${shape.join(', ')}]`)
}
