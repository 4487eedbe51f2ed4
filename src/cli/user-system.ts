import { resolve } from 'node:path'
import { importUserModule } from '../api/user-module.ts'
import { ConfigError } from '../errors.ts'
import type { AnySystem } from '../systems/define.ts'

/** Whether `--system` names a file of the user's rather than an id. */
export function isSystemFile(text: string): boolean {
  return /\.[mc]?[jt]s$/.test(text) || text.startsWith('.') || text.startsWith('/')
}

/**
 * The system that a user's file exports: its default export, or the only export that is a system.
 * @throws {ConfigError} when the file cannot be loaded, or exports no system or several.
 */
export async function loadUserSystem(file: string): Promise<AnySystem> {
  const exported = await importOrExplain(file)
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

function isSystem(value: unknown): value is AnySystem {
  if (typeof value !== 'object' || value === null) return false
  const { kind, id, build, options } = value as Partial<AnySystem>
  return (kind === 'deep' || kind === 'statistic') && typeof id === 'string' && typeof build === 'function' && typeof options === 'object'
}
