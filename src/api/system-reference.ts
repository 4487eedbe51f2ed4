import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ConfigError } from '../errors.ts'
import { type AnySystem, isSystem } from '../systems/define.ts'
import { findSystem, systems } from '../systems/index.ts'
import { importUserModule } from './user-module.ts'

/** How another process finds a system: by id where it is one of the package, else by the file that exports it. Code is never sent. */
export interface SystemReference {
  readonly id: string
  /** Absolute; absent for a system of the package. */
  readonly file?: string
}

/** Files of the systems that this process loaded by name (`--system ./my-system.ts`). */
const files = new WeakMap<AnySystem, string>()

/** Remembers which file a system was loaded from. */
export function rememberFile(system: AnySystem, file: string): void {
  files.set(system, file)
}

/** The file that a system was loaded from by name, or undefined. */
export function rememberedFile(system: AnySystem): string | undefined {
  return files.get(system)
}

/** Where another process finds a system; undefined for one that only this process has: a value, or defined in the script that runs. */
export function referenceToSystem(system: AnySystem): SystemReference | undefined {
  if (systems[system.id] === system) return { id: system.id }
  const file = rememberedFile(system) ?? declaredFile(system)
  return file === undefined || isRunningScript(file) ? undefined : { id: system.id, file }
}

/** The system behind a reference. @throws {ConfigError} when its file does not export it here. */
export async function referencedSystem({ id, file }: SystemReference): Promise<AnySystem> {
  if (file === undefined) return findSystem(id)
  const exported = Object.values(await importUserModule(file)).filter(isSystem)
  const system = exported.find((one) => one.id === id)
  if (system !== undefined) {
    rememberFile(system, file)
    return system
  }
  const got = exported.map((one) => one.id).join(', ') || 'none'
  throw new ConfigError(`${id}: is not found in ${file} — expected an export of a system with this id, got ${got}`, { file })
}

function declaredFile(system: AnySystem): string | undefined {
  if (system.kind !== 'statistic' || system.module === undefined) return undefined
  try {
    return fileURLToPath(system.module)
  } catch {
    return undefined
  }
}

/** Whether a file is the script that this process was started with. */
export function isRunningScript(file: string): boolean {
  const script = process.argv[1]
  try {
    return script !== undefined && realpathSync(script) === realpathSync(file)
  } catch {
    return false
  }
}
