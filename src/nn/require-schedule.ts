import { ConfigError } from '../errors.ts'
import { nearestName } from '../nearest-name.ts'
import { shown } from '../option-checks.ts'
import type { ScheduleSpec } from './schedule.ts'

/** What a schedule of each kind has beside its kind, and the call that makes it. */
const forms = {
  constant: { fields: [], call: 'constant()' },
  step: { fields: ['every', 'factor'], call: 'step({ every })' },
  cosine: { fields: ['floor'], call: 'cosine()' },
  polynomial: { fields: ['power'], call: 'polynomial()' },
  'inverse-sqrt': { fields: ['steps'], call: 'inverseSqrt(steps)' },
  warmup: { fields: ['steps'], call: 'warmup(steps, then)' },
} as const satisfies Readonly<Record<ScheduleSpec['kind'], { readonly fields: readonly string[]; readonly call: string }>>

/**
 * Checks what stands for a schedule: one that `schedule` made, or its like with all fields.
 * @param where - Named in errors
 * @throws {ConfigError} CONFIG for a name, a function that was not called, an unknown kind, fields that are no numbers
 */
export function requireSchedule(where: string, given: unknown): asserts given is ScheduleSpec {
  const refuse = (mend: string): never => {
    throw new ConfigError(`${where}: schedule cannot be used — expected such as schedule.cosine(), got ${shown(given)} (${mend})`)
  }
  const callOf = (name: string): string => {
    const kind = nearestName(name, Object.keys(forms)) as keyof typeof forms | undefined
    return `schedule.${forms[kind ?? 'cosine'].call}`
  }
  if (typeof given === 'string') return refuse(`use ${callOf(given)}`)
  if (typeof given === 'function') return refuse(`call it: ${callOf(given.name)}`)
  if (typeof given !== 'object' || given === null || !('kind' in given)) return refuse('schedule has all of them')
  const { kind } = given as { readonly kind: unknown }
  if (!Object.hasOwn(forms, String(kind))) return refuse(`use ${callOf(String(kind))}`)
  const { fields, call } = forms[kind as keyof typeof forms]
  const wrong = fields.find((field) => !Number.isFinite((given as Record<string, unknown>)[field]))
  if (wrong !== undefined) refuse(`${wrong} must be a number: use schedule.${call}`)
  if (kind === 'warmup') requireSchedule('warmup', (given as { readonly then?: unknown }).then)
}
