import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { importUserModule } from '../api/user-module.ts'
import { ConfigError } from '../errors.ts'
import { didYouMean } from '../nearest-name.ts'
import { camelCase } from './parse.ts'

/**
 * Options from a file: JSON, or a module (`.ts`, `.js`) whose default export is an object or a function that returns one. Keys are the
 * library's names; kebab-case is taken too. What the command line says wins.
 * @throws {ConfigError} CONFIG with file, and line and column where JSON is broken.
 */
export async function loadConfigFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  const value = extname(file) === '.json' ? await readJson(file) : await readModule(file)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError(`config: ${file} holds no options — expected an object such as {"workers": 2}, got ${kindOf(value)}`)
  }
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [camelCase(key), entry]))
}

/** Refuses names that nobody reads. @param where - `config: run.json` or `--set`. */
export function requireKnownKeys(given: Iterable<string>, known: readonly string[], where: string): void {
  for (const key of given) {
    if (known.includes(key)) continue
    const hint = didYouMean(key, known) || (known.length === 0 ? ' — it has none' : ` — expected one of ${known.join(', ')}`)
    throw new ConfigError(`${where}: unknown option '${key}'${hint}`)
  }
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const got = error.code === 'ENOENT' ? 'no such file' : error.message
    throw new ConfigError(`config: ${file} cannot be read — expected a .json, .ts or .js file, got ${got}`)
  })
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ConfigError(`config: ${file} is not JSON — ${(error as Error).message.replace(/\s+/g, ' ')}`)
  }
}

async function readModule(file: string): Promise<unknown> {
  const exported = (await importUserModule(file))['default']
  return typeof exported === 'function' ? await (exported as () => unknown)() : exported
}

function kindOf(value: unknown): string {
  return value === undefined ? 'no default export' : value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
}
