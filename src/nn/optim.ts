import { ConfigError } from '../errors.ts'
import { kinds, oneOf, requireOptions, shown } from '../option-checks.ts'
import type { AdagradSpec, AdamSpec, LambSpec, LarsSpec, LbfgsSpec, RmspropSpec, SgdSpec } from './optimizer-spec.ts'

/** Options of {@link optim.sgd}. */
export interface SgdOptions {
  readonly learningRate: number
  /** Default 0. */
  readonly momentum?: number
  /** Look ahead by one momentum step (default false; needs momentum). */
  readonly nesterov?: boolean
  /** L2 penalty on the weights, added to the gradient (default 0). */
  readonly weightDecay?: number
}

/** Options of {@link optim.adam} and {@link optim.adamW}. */
export interface AdamOptions {
  /** Default 1e-3. */
  readonly learningRate?: number
  /** Default 0.9. */
  readonly beta1?: number
  /** Default 0.999. */
  readonly beta2?: number
  /** Default 1e-8. */
  readonly epsilon?: number
  /** Default 0 (adamW: 0.01). */
  readonly weightDecay?: number
}

/** Options of {@link optim.adagrad}. */
export interface AdagradOptions {
  /** Default 0.01. */
  readonly learningRate?: number
  /** Default 0. */
  readonly initialAccumulator?: number
  /** Default 1e-10. */
  readonly epsilon?: number
  /** L2 penalty on the weights, added to the gradient (default 0). */
  readonly weightDecay?: number
}

/** Options of {@link optim.rmsprop}. */
export interface RmspropOptions {
  /** Default 0.01. */
  readonly learningRate?: number
  /** Share of the old mean square that a step keeps (default 0.99). */
  readonly decay?: number
  /** Default 1e-8. */
  readonly epsilon?: number
  /** Default `outside`, as PyTorch; `inside`: TensorFlow, A3C, IMPALA. */
  readonly epsilonPlacement?: 'outside' | 'inside'
  /** Default false; DQN: true. */
  readonly centered?: boolean
  /** Default 0. */
  readonly momentum?: number
  /** L2 penalty on the weights, added to the gradient (default 0). */
  readonly weightDecay?: number
}

/** Options of {@link optim.lars}. */
export interface LarsOptions {
  readonly learningRate: number
  /** Default 0.9. */
  readonly momentum?: number
  /** Default 0. */
  readonly weightDecay?: number
  /** Length of an update relative to that of its layer (default 0.001). */
  readonly trust?: number
}

/** Options of {@link optim.lbfgs}. */
export interface LbfgsOptions {
  /** Default 10. */
  readonly history?: number
  /** c₁ (default 1e-4). */
  readonly sufficientDecrease?: number
  /** c₂ (default 0.9). */
  readonly curvature?: number
  /** L2 penalty on all parameters (default 0). */
  readonly weightDecay?: number
}

/** Options of {@link optim.lamb}. */
export interface LambOptions {
  /** Default 1e-3. */
  readonly learningRate?: number
  /** Default 0.9. */
  readonly beta1?: number
  /** Default 0.999. */
  readonly beta2?: number
  /** Default 1e-6. */
  readonly epsilon?: number
  /** Decoupled (default 0.01). */
  readonly weightDecay?: number
}

/**
 * Optimisers. Raise the rate while the loss falls smoothly, lower it when the loss jumps; with momentum m the effective rate is
 * rate/(1 − m).
 * @see Kingma, Ba, Adam: a method for stochastic optimization, ICLR 2015
 * @see Loshchilov, Hutter, Decoupled weight decay regularization, ICLR 2019
 * @see Duchi, Hazan, Singer, Adaptive subgradient methods for online learning and stochastic optimization, JMLR 12, 2011
 * @see Tieleman, Hinton, Lecture 6.5: RMSProp, COURSERA: Neural Networks for Machine Learning, 2012
 * @see Liu, Nocedal, On the limited memory BFGS method for large scale optimization, Mathematical Programming 45, 1989
 * @see You, Gitman, Ginsburg, Large batch training of convolutional networks (LARS), arXiv 1708.03888, 2017
 * @see You et al., Large batch optimization for deep learning: training BERT in 76 minutes (LAMB), ICLR 2020
 */
export const optim = {
  /** @throws {ConfigError} CONFIG for values out of range */
  sgd(options: SgdOptions): SgdSpec {
    requireOptions('sgd', options, { learningRate: true, momentum: true, nesterov: kinds.flag, weightDecay: true })
    const { learningRate, momentum = 0, nesterov = false, weightDecay = 0 } = options
    requireAtLeastZero('sgd', { learningRate, weightDecay })
    requireFraction('sgd', { momentum })
    if (nesterov && momentum === 0) throw new ConfigError('sgd: nesterov has no effect — expected momentum above 0, got 0')
    return { kind: 'sgd', learningRate, momentum, nesterov, weightDecay }
  },
  /** @throws {ConfigError} CONFIG for values out of range */
  adam: (options: AdamOptions = {}): AdamSpec => adam('adam', options, 0, false),
  /** @throws {ConfigError} CONFIG for values out of range */
  adamW: (options: AdamOptions = {}): AdamSpec => adam('adamW', options, 0.01, true),
  /** @throws {ConfigError} CONFIG for values out of range */
  adagrad(options: AdagradOptions = {}): AdagradSpec {
    requireOptions('adagrad', options, { learningRate: true, initialAccumulator: true, epsilon: true, weightDecay: true })
    const { learningRate = 0.01, initialAccumulator = 0, epsilon = 1e-10, weightDecay = 0 } = options
    requireAtLeastZero('adagrad', { learningRate, initialAccumulator, epsilon, weightDecay })
    return { kind: 'adagrad', learningRate, initialAccumulator, epsilon, weightDecay }
  },
  /** @throws {ConfigError} CONFIG for values out of range */
  rmsprop(options: RmspropOptions = {}): RmspropSpec {
    requireOptions('rmsprop', options, {
      learningRate: true,
      decay: true,
      epsilon: true,
      epsilonPlacement: oneOf('outside', 'inside'),
      centered: kinds.flag,
      momentum: true,
      weightDecay: true,
    })
    const { learningRate = 0.01, decay = 0.99, epsilon = 1e-8, momentum = 0, weightDecay = 0 } = options
    const { epsilonPlacement = 'outside', centered = false } = options
    requireAtLeastZero('rmsprop', { learningRate, epsilon, weightDecay })
    requireFraction('rmsprop', { decay, momentum })
    return { kind: 'rmsprop', learningRate, decay, epsilon, epsilonPlacement, centered, momentum, weightDecay }
  },
  /** Parameters without weight decay (biases, norms) keep the base rate. @throws {ConfigError} CONFIG for values out of range */
  lars(options: LarsOptions): LarsSpec {
    requireOptions('lars', options, { learningRate: true, momentum: true, weightDecay: true, trust: true })
    const { learningRate, momentum = 0.9, weightDecay = 0, trust = 0.001 } = options
    requireAtLeastZero('lars', { learningRate, weightDecay, trust })
    requireFraction('lars', { momentum })
    return { kind: 'lars', learningRate, momentum, weightDecay, trust }
  },
  /** Parameters without weight decay (biases, norms) keep the base rate. @throws {ConfigError} CONFIG for values out of range */
  lamb(options: LambOptions = {}): LambSpec {
    requireOptions('lamb', options, { learningRate: true, beta1: true, beta2: true, epsilon: true, weightDecay: true })
    const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6, weightDecay = 0.01 } = options
    requireAtLeastZero('lamb', { learningRate, epsilon, weightDecay })
    requireFraction('lamb', { beta1, beta2 })
    return { kind: 'lamb', learningRate, beta1, beta2, epsilon, weightDecay }
  },
  /** Takes all rows in every step (`globalBatchSize` = rows); a step is one evaluation of the line search. @throws {ConfigError} CONFIG for values out of range */
  lbfgs(options: LbfgsOptions = {}): LbfgsSpec {
    requireOptions('lbfgs', options, { history: true, sufficientDecrease: true, curvature: true, weightDecay: true })
    const { history = 10, sufficientDecrease = 1e-4, curvature = 0.9, weightDecay = 0 } = options
    requireAtLeastZero('lbfgs', { weightDecay })
    requireFraction('lbfgs', { sufficientDecrease, curvature })
    if (!Number.isInteger(history) || history < 1)
      throw new ConfigError(`lbfgs: history cannot be used — expected a positive integer, got ${shown(history)}`)
    if (sufficientDecrease >= curvature)
      throw new ConfigError(
        `lbfgs: the line search cannot end — expected sufficientDecrease below curvature, got ${sufficientDecrease} and ${curvature}`,
      )
    return { kind: 'lbfgs', learningRate: 1, history, sufficientDecrease, curvature, weightDecay }
  },
} as const

function adam(name: string, options: AdamOptions, defaultDecay: number, decoupled: boolean): AdamSpec {
  requireOptions(name, options, { learningRate: true, beta1: true, beta2: true, epsilon: true, weightDecay: true })
  const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = defaultDecay } = options
  requireAtLeastZero(name, { learningRate, weightDecay, epsilon })
  requireFraction(name, { beta1, beta2 })
  return { kind: 'adam', learningRate, beta1, beta2, epsilon, weightDecay, decoupled }
}

function requireAtLeastZero(optimizer: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!kinds.notNegative.fits(value)) {
      throw new ConfigError(`${optimizer}: ${name} cannot be used — expected a number from 0 on, got ${shown(value)}`)
    }
  }
}

function requireFraction(optimizer: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(kinds.notNegative.fits(value) && value < 1))
      throw new ConfigError(`${optimizer}: ${name} cannot be used — expected 0 ≤ ${name} < 1, got ${shown(value)}`)
  }
}
