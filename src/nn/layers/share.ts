import { ConfigError } from '../../errors.ts'
import { init as initializers } from '../parameter.ts'
import type { Initializer } from '../parameter.ts'
import { kinds, requireKind, requireOptions } from '../../option-checks.ts'
import { requireIntegers } from './options.ts'
import { requireTensor, traceOf } from '../trace.ts'
import type { Declared, Tensor, Trace } from '../trace.ts'

/** Options of {@link parameter}. */
export interface ParameterOptions {
  /** First values (default He normal). */
  readonly init?: Initializer
  /** Whether weight decay applies (default true). */
  readonly decay?: boolean
}

/**
 * Declares a parameter of its own, to be given to layers that take one: the same parameter in two layers ties their weights.
 * @param x - Any tensor of the model
 * @example
 * ```ts
 * const table = nn.parameter(tokens, 'words', [10_000, 128], { init: nn.init.normal(0.02) })
 * const h = encode(nn.embedding(tokens, 10_000, 128, { weight: table }))
 * return nn.dense(nn.rows(h), 10_000, { weight: table })
 * ```
 */
export function parameter(x: Tensor, name: string, shape: readonly number[], options: ParameterOptions = {}): Tensor {
  requireTensor('parameter', x)
  requireKind('parameter', 'name', kinds.text, name)
  requireIntegers(name, 'shape', shape)
  requireOptions(name, options, { init: kinds.object, decay: kinds.flag })
  const { init = initializers.heNormal(), decay = true } = options
  return traceOf(x).parameter({ name, shape, init, decay })
}

/**
 * A part of a model whose parameters are the same at every use: the first call declares them, later calls take them in the same order.
 * Layers named inside get a suffix in later calls (`ffn`, `ffn-use2`), so that their dropout masks are their own. Shared functions may call
 * others, and make them. Another model has parameters of its own.
 * @param build - Declares the same parameters in the same order at every call
 * @throws {ConfigError} CONFIG at a later call that declares others
 * @see Lan et al., ALBERT: a lite BERT for self-supervised learning of language representations, ICLR 2020 (shared layers)
 * @example
 * ```ts
 * const block = nn.share((h: nn.Tensor) => encoderBlock(h))
 * for (let layer = 0; layer < 12; layer++) h = block(h)
 * ```
 */
export function share<A extends readonly unknown[], R>(build: (...args: A) => R): (...args: A) => R {
  const known = new WeakMap<Trace, readonly Declared[]>()
  return (...args) => {
    const tensor = args.find((arg): arg is Tensor => typeof arg === 'object' && arg !== null && 'builder' in arg)
    if (tensor === undefined) throw new ConfigError('share: the function was called without a tensor — expected one among its arguments')
    const trace = traceOf(tensor)
    const { result, parameters } = trace.shared(known.get(trace), () => build(...args))
    known.set(trace, parameters)
    return result
  }
}

/**
 * A state that one batch hands to the next, before this batch: `[batch, …shape]`, zeros for the first batch. It is a given number: no
 * gradient goes through it to earlier batches. The model must hand on a new value with {@link carryOut}.
 * @param x - Any tensor of the model
 * @throws {ConfigError} CONFIG when the name is taken
 */
export function carry(x: Tensor, name: string, shape: readonly number[]): Tensor {
  return traceOf(x).carry(name, shape)
}

/**
 * Says what the next batch gets as the state `name`.
 * @throws {ConfigError} CONFIG when there is no such state
 * @throws {ShapeError} SHAPE when the value has another shape than the state
 */
export function carryOut(name: string, value: Tensor): void {
  traceOf(value).carryOut(name, value)
}
