import { ConfigError } from '../errors.ts'

/** Stochastic gradient descent: v ← momentum·v + g, w ← w − rate·v (Nesterov: w ← w − rate·(g + momentum·v)). */
export interface SgdSpec {
  readonly kind: 'sgd'
  readonly learningRate: number
  readonly momentum: number
  readonly nesterov: boolean
  readonly weightDecay: number
}

/** Adam; `decoupled` weight decay (AdamW) shrinks the parameter itself instead of adding to the gradient. */
export interface AdamSpec {
  readonly kind: 'adam'
  readonly learningRate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
  readonly decoupled: boolean
}

/** An optimiser as plain data: the rule is run by whoever holds the parameters. */
export type OptimizerSpec = SgdSpec | AdamSpec

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

/**
 * Optimisers. Raise the rate while the loss falls smoothly, lower it when the loss jumps; with momentum m the effective rate is
 * rate/(1 − m).
 * @see Kingma, Ba, Adam: a method for stochastic optimization, ICLR 2015
 * @see Loshchilov, Hutter, Decoupled weight decay regularization, ICLR 2019
 */
export const optim = {
  /** @throws {ConfigError} CONFIG for values out of range */
  sgd(options: SgdOptions): SgdSpec {
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
} as const

/** Names of the arrays, each as long as the parameters, that an optimiser keeps between steps. */
export function slotNames(spec: OptimizerSpec): readonly string[] {
  if (spec.kind === 'adam') return ['first-moment', 'second-moment']
  return spec.momentum === 0 ? [] : ['momentum']
}

function adam(name: string, options: AdamOptions, defaultDecay: number, decoupled: boolean): AdamSpec {
  const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = defaultDecay } = options
  requireAtLeastZero(name, { learningRate, weightDecay, epsilon })
  requireFraction(name, { beta1, beta2 })
  return { kind: 'adam', learningRate, beta1, beta2, epsilon, weightDecay, decoupled }
}

function requireAtLeastZero(optimizer: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(value >= 0 && Number.isFinite(value))) {
      throw new ConfigError(`${optimizer}: ${name} cannot be used — expected a number from 0 on, got ${value}`)
    }
  }
}

function requireFraction(optimizer: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(value >= 0 && value < 1)) throw new ConfigError(`${optimizer}: ${name} cannot be used — expected 0 ≤ ${name} < 1, got ${value}`)
  }
}
