/**
 * The table of systems. Registering a system is one line here; the command line, documentation, comparisons and contract tests pick it up from its value.
 * @packageDocumentation
 */
import { ConfigError } from '../errors.ts'
import { nearestName } from '../nearest-name.ts'
import { solo } from './baseline/solo.ts'
import { kmLloyd } from './clustering/km-lloyd.ts'
import { asp } from './data-parallel/asp.ts'
import { avg1 } from './data-parallel/avg1.ts'
import { bsp } from './data-parallel/bsp.ts'
import { hvd } from './data-parallel/hvd.ts'
import { local } from './data-parallel/local.ts'
import { ssp } from './data-parallel/ssp.ts'
import type { AnySystem } from './define.ts'
import { linOls } from './linear/lin-ols.ts'

export * from './define.ts'
export type { Claim, SystemDescription, SystemMetadata } from './metadata.ts'
export { allReduceOption, chooseAllReduce } from './data-parallel/all-reduce-option.ts'
export { statisticProgram } from './statistic-program.ts'
export * from '../train/parts.ts'
export { every, type Instruction, type Program, programHash, repeat } from '../train/program.ts'
export type { Learner, LearnerContext, LearnerShape, Stage, StatisticLearner } from '../train/statistic.ts'

/** Every system of this package, by id. */
export const systems: Readonly<Record<string, AnySystem>> = Object.fromEntries(
  [solo, bsp, ssp, asp, local, avg1, hvd, kmLloyd, linOls].map((system) => [system.id, system]),
)

/** A system by id. @throws {ConfigError} with the nearest name. */
export function findSystem(id: string): AnySystem {
  const system = systems[id]
  if (system === undefined) {
    const nearest = nearestName(id, Object.keys(systems))
    throw new ConfigError(
      `system: no system ${id} — expected ${Object.keys(systems).join(', ')}${nearest ? ` (did you mean ${nearest}?)` : ''}`,
      { id },
    )
  }
  return system
}
