import { kinds, requireKind, requireOptions } from '../option-checks.ts'
import { requireSchedule } from './require-schedule.ts'

/** How the learning rate moves, as plain data. */
export type ScheduleSpec =
  | { readonly kind: 'constant' }
  | { readonly kind: 'step'; readonly every: number; readonly factor: number }
  | { readonly kind: 'cosine'; readonly floor: number }
  | { readonly kind: 'polynomial'; readonly power: number }
  | { readonly kind: 'inverse-sqrt'; readonly steps: number }
  | { readonly kind: 'warmup'; readonly steps: number; readonly then: ScheduleSpec }

/** Learning-rate schedules: `schedule.warmup(100, schedule.cosine())`. */
export const schedule = {
  /** Always the base rate. */
  constant: (): ScheduleSpec => ({ kind: 'constant' }),
  /** Times `factor` (default 0.1) after every `every` steps. @throws {ConfigError} CONFIG unless `every` is a positive integer */
  step(options: { readonly every: number; readonly factor?: number }): ScheduleSpec {
    requireOptions('schedule.step', options, { every: true, factor: kinds.number })
    const { every, factor = 0.1 } = options
    requirePositive('every', every)
    return { kind: 'step', every, factor }
  },
  /**
   * Half a cosine from the base rate to `floor` times it (default 0) over the whole run.
   * @see Loshchilov, Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017
   */
  cosine(options: { readonly floor?: number } = {}): ScheduleSpec {
    requireOptions('schedule.cosine', options, { floor: kinds.notNegative })
    return { kind: 'cosine', floor: options.floor ?? 0 }
  },
  /** Base rate · (1 − progress)^power over the whole run (default 1: a straight line to 0). @throws {ConfigError} CONFIG unless `power` is above 0 */
  polynomial(options: { readonly power?: number } = {}): ScheduleSpec {
    requireOptions('schedule.polynomial', options, { power: kinds.positive })
    return { kind: 'polynomial', power: options.power ?? 1 }
  },
  /**
   * Grows linearly to the base rate over the first `steps` steps, then falls with the inverse square root of the step.
   * @throws {ConfigError} CONFIG unless `steps` is a positive integer
   * @see Vaswani et al., Attention is all you need, NeurIPS 2017, section 5.3
   */
  inverseSqrt(steps: number): ScheduleSpec {
    requirePositive('steps', steps)
    return { kind: 'inverse-sqrt', steps }
  },
  /**
   * Grows linearly over the first `steps` steps, on top of another schedule (default constant).
   * @throws {ConfigError} CONFIG unless `steps` is a positive integer
   */
  warmup(steps: number, then: ScheduleSpec = { kind: 'constant' }): ScheduleSpec {
    requirePositive('steps', steps)
    requireSchedule('schedule.warmup', then)
    return { kind: 'warmup', steps, then }
  },
} as const

/**
 * The learning rate of one step.
 * @param baseRate - The optimiser's own rate
 * @param step - From 0
 * @param totalSteps - Length of the whole run; steps beyond it keep the last rate
 */
export function learningRateAt(spec: ScheduleSpec, baseRate: number, step: number, totalSteps: number): number {
  switch (spec.kind) {
    case 'constant':
      return baseRate
    case 'step':
      return baseRate * spec.factor ** Math.floor(step / spec.every)
    case 'cosine': {
      const progress = Math.min(1, step / Math.max(1, totalSteps))
      return baseRate * (spec.floor + (1 - spec.floor) * 0.5 * (1 + Math.cos(Math.PI * progress)))
    }
    case 'polynomial':
      return baseRate * (1 - Math.min(1, step / Math.max(1, totalSteps))) ** spec.power
    case 'inverse-sqrt':
      return baseRate * Math.min((step + 1) / spec.steps, Math.sqrt(spec.steps / (step + 1)))
    case 'warmup':
      return learningRateAt(spec.then, baseRate, step, totalSteps) * Math.min(1, (step + 1) / spec.steps)
  }
}

function requirePositive(name: string, value: number): void {
  requireKind('schedule', name, kinds.count, value)
}
