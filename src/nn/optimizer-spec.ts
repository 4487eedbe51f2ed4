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

/** Adagrad: a ← a + g², w ← w − rate·g / (√a + epsilon). */
export interface AdagradSpec {
  readonly kind: 'adagrad'
  readonly learningRate: number
  /** First value of a. */
  readonly initialAccumulator: number
  readonly epsilon: number
  readonly weightDecay: number
}

/**
 * RMSProp: s ← decay·s + (1 − decay)·g², w ← w − rate·g / √s. The published variants differ, and are not interchangeable, in where ε stands and in
 * whether the squared mean is taken off.
 */
export interface RmspropSpec {
  readonly kind: 'rmsprop'
  readonly learningRate: number
  readonly decay: number
  readonly epsilon: number
  /** `outside`: √s + ε. `inside`: √(s + ε). */
  readonly epsilonPlacement: 'outside' | 'inside'
  /** s less the square of the running mean of g. */
  readonly centered: boolean
  readonly momentum: number
  readonly weightDecay: number
}

/** Layer-wise rates by trust ratio: `lars` over momentum, `lamb` over Adam. */
export interface LarsSpec {
  readonly kind: 'lars'
  readonly learningRate: number
  readonly momentum: number
  readonly weightDecay: number
  /** η: length of an update relative to that of its layer. */
  readonly trust: number
}

/** See {@link LarsSpec}. */
export interface LambSpec {
  readonly kind: 'lamb'
  readonly learningRate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
}

/** L-BFGS with a weak Wolfe line search, over all rows at once. */
export interface LbfgsSpec {
  readonly kind: 'lbfgs'
  /** Scale of the first trial of each search: 1 but for experiments. */
  readonly learningRate: number
  /** Pairs of differences that stand for the curvature. */
  readonly history: number
  /** c₁: share of the promised decrease that a step must bring. */
  readonly sufficientDecrease: number
  /** c₂: share of the slope that may be left. */
  readonly curvature: number
  readonly weightDecay: number
}

/** An optimiser as plain data: the rule is run by whoever holds the parameters. */
export type OptimizerSpec = SgdSpec | AdamSpec | AdagradSpec | RmspropSpec | LarsSpec | LambSpec | LbfgsSpec

/** An array, as long as the parameters, that an optimiser keeps between steps. */
export interface Slot {
  readonly name: string
  /** First value of its elements. */
  readonly initial: number
}

/** The arrays of an optimiser, in the order in which its rule takes them. */
export function slotsOf(spec: OptimizerSpec): readonly Slot[] {
  const zero = (name: string): Slot => ({ name, initial: 0 })
  switch (spec.kind) {
    case 'adam':
    case 'lamb':
      return [zero('first-moment'), zero('second-moment')]
    case 'adagrad':
      return [{ name: 'squared-sum', initial: spec.initialAccumulator }]
    case 'rmsprop':
      return [zero('mean-square'), ...(spec.centered ? [zero('mean')] : []), ...(spec.momentum > 0 ? [zero('momentum')] : [])]
    case 'lbfgs': {
      const pairs = (name: string): Slot[] => Array.from({ length: spec.history }, (_, k) => zero(`${name}-${k}`))
      return [
        zero('search'),
        zero('origin'),
        zero('origin-gradient'),
        zero('direction'),
        ...pairs('point-difference'),
        ...pairs('gradient-difference'),
      ]
    }
    case 'lars':
      return [zero('momentum')]
    case 'sgd':
      return spec.momentum === 0 ? [] : [zero('momentum')]
  }
}

/** Names of an optimiser's arrays. */
export function slotNames(spec: OptimizerSpec): readonly string[] {
  return slotsOf(spec).map(({ name }) => name)
}

/** True where a rule looks at whole parameters (their norms), so that nobody may hold a part of one. */
export function needsWholeParameters(spec: OptimizerSpec): boolean {
  return spec.kind === 'lars' || spec.kind === 'lamb' || spec.kind === 'lbfgs'
}
