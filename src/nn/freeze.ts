import { ConfigError } from '../errors.ts'
import { parameterPrefix } from '../graph/graph.ts'
import { type Kind, requireKind } from '../option-checks.ts'
import { Model } from './model.ts'
import type { InputShapes } from './model.ts'

/**
 * The model with parameters that training leaves as they are; batch norms whose running statistics are frozen normalise by them in training, too.
 * @param pattern - Names of parameters, `*` for any characters: `features.*`; or several such patterns
 * @throws {ConfigError} CONFIG when a pattern fits no parameter
 */
export function freeze<I extends InputShapes>(model: Model<I>, pattern: string | readonly string[]): Model<I> {
  const patterns = typeof pattern === 'string' ? [pattern] : pattern
  requireKind('freeze', 'pattern', patternKind, patterns)
  const fits = patterns.map((each) => {
    const fit = matcherOf(each)
    if (model.parameters.some(({ name }) => fit(name))) return fit
    const names = model.parameters.map(({ name }) => name)
    const beginning = names.some((name) => name.startsWith(`${each}.`))
    const mend = beginning ? `did you mean ${each}.*?` : '* stands for any characters'
    const some = names.length > 8 ? `${names.slice(0, 8).join(', ')}, …` : names.join(', ')
    throw new ConfigError(`freeze: no parameter is called ${each} — expected one of ${some} (${mend})`)
  })
  const fitting = (name: string): boolean => fits.some((fit) => fit(name))
  // Mean and variance of one norm go together: by one of them alone nothing can be normalised.
  const twins = model.graph.nodes.flatMap(({ op, inputs }) =>
    op === 'batchNorm' ? [inputs.slice(3, 5).map((id) => id.slice(parameterPrefix.length))] : [],
  )
  const isFrozen = (name: string): boolean => fitting(name) || twins.some((pair) => pair.includes(name) && pair.some(fitting))
  const parameters = model.parameters.map((spec) => (isFrozen(spec.name) ? { ...spec, update: 'nothing' as const } : spec))
  return new Model({ ...model.toJSON(), inputs: model.inputs, parameters })
}

const patternKind: Kind = {
  expected: 'a name or an array of names, such as features.*',
  fits: (value) => Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string'),
}

/** Whether a name is of a pattern. */
function matcherOf(pattern: string): (name: string) => boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const expression = new RegExp(`^${parts.join('.*')}$`)
  return (name) => expression.test(name)
}
