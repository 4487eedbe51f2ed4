import { ConfigError } from '../errors.ts'
import { nearestName } from '../nearest-name.ts'
import { shown } from '../option-checks.ts'
import { optim } from './optim.ts'
import type { OptimizerSpec } from './optimizer-spec.ts'

/** Makes an optimiser from the fields of a spec; kinds that two names make differ in a field. */
const makers = {
  sgd: optim.sgd,
  adam: optim.adam,
  adagrad: optim.adagrad,
  rmsprop: optim.rmsprop,
  lars: optim.lars,
  lamb: optim.lamb,
  lbfgs: optim.lbfgs,
} as const satisfies Readonly<Record<OptimizerSpec['kind'], (options: never) => OptimizerSpec>>

/**
 * Checks what stands for an optimiser: one that {@link optim} made, or its like with all fields.
 * @param where - Named in errors
 * @throws {ConfigError} CONFIG for a name, a function that was not called, an unknown kind, missing fields and values out of range
 */
export function requireOptimizer(where: string, given: unknown): asserts given is OptimizerSpec {
  const refuse = (mend: string): never => {
    throw new ConfigError(
      `${where}: optimizer cannot be used — expected such as optim.sgd({ learningRate: 0.01 }), got ${shown(given)} (${mend})`,
    )
  }
  const meant = (name: string): string => `use optim.${nearestName(name, Object.keys(optim)) ?? 'adam'}({ learningRate })`
  if (typeof given === 'string') return refuse(meant(given))
  if (typeof given === 'function') return refuse(`call it: optim.${given.name || 'adam'}({ learningRate })`)
  if (typeof given !== 'object' || given === null || !('kind' in given)) return refuse('optim has all of them')
  const { kind, ...fields } = given as Record<string, unknown>
  if (!Object.hasOwn(makers, String(kind))) return refuse(meant(String(kind)))
  const known = makers[kind as keyof typeof makers]
  // These two fields are the name's own: `adamW`, and the first trial of a line search.
  const { decoupled: _, learningRate, ...others } = fields
  const options = kind === 'lbfgs' ? others : { learningRate, ...others }
  const made = known(options as never)
  const missing = Object.keys(made).filter((name) => (given as Record<string, unknown>)[name] === undefined)
  if (missing.length > 0) refuse(`it lacks ${missing.join(', ')}: use optim.${String(kind)}({ learningRate })`)
}
