import { resolve } from 'node:path'
import { ConfigError } from '../errors.ts'
import { type AnySystem, isSystem } from '../systems/define.ts'
import { rememberFile } from './system-reference.ts'
import { importUserModule } from './user-module.ts'

/**
 * The system that a file of yours exports: its default export, or the only export that is a system. What `--system ./my-system.ts` loads.
 * @param file - TypeScript or JavaScript; relative to the working directory, or absolute
 * @throws {ConfigError} when the file cannot be loaded, or exports no system or several.
 */
export async function loadSystem(file: string): Promise<AnySystem> {
  const system = systemIn(await importOrExplain(file), file)
  rememberFile(system, resolve(file))
  return system
}

function systemIn(exported: Readonly<Record<string, unknown>>, file: string): AnySystem {
  if (isSystem(exported['default'])) return exported['default']
  const found = Object.entries(exported).filter((entry): entry is [string, AnySystem] => isSystem(entry[1]))
  const [only, ...more] = found
  if (only !== undefined && more.length === 0) return only[1]
  const got = found.length > 1 ? found.map(([name]) => name).join(', ') : Object.keys(exported).join(', ') || 'no exports'
  throw new ConfigError(`system: ${file} does not say which system it is — expected one export made by defineSystem({ … }), got ${got}`, {
    file: resolve(file),
  })
}

async function importOrExplain(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await importUserModule(file)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`system: ${file} failed while it was loaded — ${(error as Error).message} (TUTTI_DEBUG=1 shows where)`, {
      file,
      stack: (error as Error).stack,
    })
  }
}
