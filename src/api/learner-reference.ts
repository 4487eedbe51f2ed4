import { fileURLToPath, pathToFileURL } from 'node:url'
import { ConfigError } from '../errors.ts'
import { isSystem, type StatisticSystem } from '../systems/define.ts'
import { systems } from '../systems/index.ts'
import type { FitJob } from '../train/job.ts'
import { isRunningScript, rememberedFile } from './system-reference.ts'
import { prepareUserModule } from './user-module.ts'

/**
 * How workers find the learner of a classical system: by id where it is one of the package, else by file, hash and export. Code is never sent.
 * @throws {ConfigError} when nobody says which file it is, or when that file does not export the system.
 */
export async function learnerReference(system: StatisticSystem): Promise<FitJob['learner']> {
  if (systems[system.id] === system) return { id: system.id }
  const file = rememberedFile(system) ?? fileOf(system)
  if (isRunningScript(file)) {
    throw new ConfigError(
      `${system.id}: is defined in the script that runs — expected a file that only defines it, for workers load that file, got ${file} (move the system into a file of its own and import it)`,
      { file },
    )
  }
  const { path, sha256 } = await prepareUserModule(file)
  const exported = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>
  const name = Object.keys(exported).find((key) => isStatistic(exported[key]) && exported[key].id === system.id)
  if (name !== undefined) return { path, sha256, export: name }
  const got = Object.values(exported).flatMap((value) => (isSystem(value) ? [value.id] : []))
  throw new ConfigError(
    `${system.id}: workers cannot find it in ${file} — expected an export of a system with this id, got ${got.join(', ') || 'none'} (export what defineStatisticSystem returns)`,
    { file },
  )
}

function isStatistic(value: unknown): value is StatisticSystem {
  return isSystem(value) && value.kind === 'statistic'
}

function fileOf({ id, module }: StatisticSystem): string {
  if (module === undefined) {
    throw new ConfigError(
      `${id}: workers cannot find its learner — expected module: import.meta.url in defineStatisticSystem({ … }), got none (workers load the file that exports it; code is never sent)`,
    )
  }
  try {
    return fileURLToPath(module)
  } catch {
    throw new ConfigError(`${id}: module — expected import.meta.url, a file: address, got ${module}`)
  }
}
