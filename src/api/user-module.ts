/**
 * A user's own file as a module of this process: a system (`--system ./my-system.ts`), a script (`tutti exec`), a configuration, a
 * benchmark. Node 20 does not import `.ts`, so TypeScript is bundled to one hashed `.mjs`; JavaScript is imported as it is.
 *
 * Where the bundle lies decides what its `import`s of packages find: the nearest `node_modules` above the user's file, as for the file
 * itself. `tutti` is the exception: it always means the running package, so that a class or a table exists once.
 * @packageDocumentation
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BuildFailure, Loader, Plugin } from 'esbuild'
import { cacheFolder } from '../data/files/search-path.ts'
import { ConfigError } from '../errors.ts'

/** A user's file, ready to be imported by this process or, by path and hash, by workers. */
export interface UserModule {
  /** What the user named, absolute. */
  readonly source: string
  /** What is imported: the bundle, or the file itself when it is JavaScript. */
  readonly path: string
  /** SHA-256 (hex) of the bytes at `path`: workers compare it before they load anything. */
  readonly sha256: string
}

const typescriptEndings = new Set(['.ts', '.mts', '.tsx'])
const javascriptEndings = new Set(['.js', '.mjs', '.cjs'])

/**
 * Bundles a TypeScript file, unless that very bundle exists already; takes JavaScript as it is. Imports of packages stay imports.
 * @param file - relative to the working directory, or absolute
 * @throws {ConfigError} CONFIG when the file does not exist, is neither TypeScript nor JavaScript, or does not compile.
 */
export async function prepareUserModule(file: string): Promise<UserModule> {
  const source = resolve(file)
  const found = await stat(source).catch(() => undefined)
  if (found === undefined || !found.isFile())
    throw new ConfigError(`module: no such file — expected a .ts or .js file, got ${file}`, { file })
  const ending = extname(source)
  if (javascriptEndings.has(ending)) return { source, path: source, sha256: sha256(await readFile(source)) }
  if (!typescriptEndings.has(ending)) {
    throw new ConfigError(`module: ${file} cannot be imported — expected a .ts or .js file, got ${ending || 'no file ending'}`, { file })
  }
  const code = await bundle(source)
  const hash = sha256(code)
  const path = await store(source, code, `${basename(source, ending)}.${hash.slice(0, 16)}.mjs`)
  return { source, path, sha256: hash }
}

/** Imports a user's file. What its top level throws is thrown here, unchanged. */
export async function importUserModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  const { path } = await prepareUserModule(file)
  return (await import(pathToFileURL(path).href)) as Record<string, unknown>
}

async function bundle(source: string): Promise<Uint8Array> {
  const esbuild = await import('esbuild')
  try {
    const result = await esbuild.build({
      entryPoints: [source],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      sourcemap: 'inline',
      logLevel: 'silent',
      plugins: [ownPackage, placeOfFile(esbuild.transform)],
    })
    return result.outputFiles[0]!.contents
  } catch (error) {
    const first = (error as BuildFailure).errors?.[0]
    const place = first?.location ? `${first.location.file}:${first.location.line}:${first.location.column + 1}: ` : ''
    throw new ConfigError(`module: ${source} does not compile — ${place}${first?.text ?? String(error)}`, { file: source })
  }
}

/** `tutti` and `tutti/…` become the files of the running package. */
const ownPackage: Plugin = {
  name: 'own-package',
  setup(build) {
    build.onResolve({ filter: /^tutti(\/.*)?$/ }, ({ path }) => ({ path: import.meta.resolve(path), external: true }))
  },
}

/** `import.meta.url`, `.dirname` and `.filename` keep meaning the user's file and not the bundle. */
function placeOfFile(transform: typeof import('esbuild').transform): Plugin {
  return {
    name: 'place-of-file',
    setup(build) {
      build.onLoad({ filter: /\.[mc]?[jt]sx?$/ }, async ({ path }) => {
        const text = await readFile(path, 'utf8')
        if (!text.includes('import.meta')) return undefined
        const loader: Loader = extname(path).endsWith('x') ? 'tsx' : 'ts'
        const define = {
          'import.meta.url': JSON.stringify(pathToFileURL(path).href),
          'import.meta.dirname': JSON.stringify(dirname(path)),
          'import.meta.filename': JSON.stringify(path),
        }
        const { code } = await transform(text, { loader, define, sourcefile: path, target: 'node20' })
        return { contents: code, loader: 'js' }
      })
    },
  }
}

/** Writes the bundle where the file's own imports of packages are found, else to the user's cache. Two processes may do so at once. */
async function store(source: string, code: Uint8Array, name: string): Promise<string> {
  const modules = nearestNodeModules(dirname(source))
  const places =
    modules === undefined ? [join(cacheFolder(), 'modules')] : [join(modules, '.cache', 'tutti'), join(cacheFolder(), 'modules')]
  let failure: unknown
  for (const folder of places) {
    const path = join(folder, name)
    if (existsSync(path)) return path
    try {
      await mkdir(folder, { recursive: true })
      const draft = `${path}.${process.pid}`
      await writeFile(draft, code)
      await rename(draft, path)
      return path
    } catch (error) {
      failure = error
    }
  }
  throw new ConfigError(
    `module: the bundle of ${source} cannot be written — expected a writable ${places.join(' or ')}, got ${String(failure)}`,
  )
}

function nearestNodeModules(folder: string): string | undefined {
  const here = join(folder, 'node_modules')
  if (existsSync(here)) return here
  const parent = dirname(folder)
  return parent === folder ? undefined : nearestNodeModules(parent)
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
