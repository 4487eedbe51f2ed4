#!/usr/bin/env node
// Builds dist/, doing only what changed: AssemblyScript kernels to Wasm, TypeScript file by file (worker entries stay real files),
// the report's client script (scripts/build-report.mjs), and everything else that lies beside the sources.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, rmdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { at, commandOf, filesBelow, fingerprint, isFresh, root, runNode as runNodeAloud, writeStamp } from './project.mjs'

// Everything is said on standard error: `tutti … --json` may build first, and owns standard output.
const runNode = (args) => runNodeAloud(args, { stdio: ['ignore', 2, 2] })

const sources = at('src')
const assembly = at('src/kernels/assembly')
const wasm = at('src/kernels/kernels.wasm')
const reportScript = at('scripts/build-report.mjs')
const reportClient = at('dist/compare/report/client.js')
const notPublished = [assembly, at('src/compare/report/client')]

const isTest = (file) => file.endsWith('.test.ts')
const isInput = (file) => !isTest(file) && file !== wasm && !file.endsWith('.bundle.js')
const inputs = () =>
  [...filesBelow(sources).filter(isInput), at('tsconfig.json'), at('tsconfig.build.json'), reportScript, ...scriptFiles].filter(existsSync)
const scriptFiles = [fileURLToPath(import.meta.url), at('scripts/project.mjs')]

/** Builds if a source changed since the last complete build. @returns whether dist/ is complete. */
export function buildIfNeeded() {
  const print = fingerprint(inputs())
  if (isFresh('dist', print) && existsSync(at('dist/cli/main.js')) && existsSync(at('dist/kernels/kernels.wasm'))) return true
  process.stderr.write('building dist …\n')
  return build(print)
}

/** Builds, reusing what is up to date. Type errors are printed and make the result false, but do not stop the rest. */
export function build(print = fingerprint(inputs())) {
  const steps = [buildKernels, buildTypeScript, buildReport]
  const built = steps.map((step) => step()).every(Boolean)
  copyAssets()
  removeStale()
  const ok = built && importsAreRewritten()
  if (ok) writeStamp('dist', print)
  return ok
}

function buildKernels() {
  const files = filesBelow(assembly).filter((file) => file.endsWith('.ts'))
  if (files.length === 0) return true
  const print = fingerprint([...files, ...scriptFiles])
  if (existsSync(wasm) && isFresh('kernels', print)) return true
  const status = runNode([
    commandOf('assemblyscript', 'asc'),
    'src/kernels/assembly/index.ts',
    '-o',
    'src/kernels/kernels.wasm',
    '-O3',
    '--noAssert',
    '--runtime',
    'stub',
    '--importMemory',
    '--sharedMemory',
    '--initialMemory',
    '1',
    '--maximumMemory',
    '65536',
    '--enable',
    'simd',
    '--enable',
    'threads',
  ])
  if (status === 0) writeStamp('kernels', print)
  return status === 0
}

function buildTypeScript() {
  const memory = at('.build/dist.tsbuildinfo')
  // The compiler skips what it believes to have written: without dist/ its memory is wrong.
  if (!existsSync(at('dist/index.js'))) rmSync(memory, { force: true })
  return runNode([commandOf('typescript', 'tsc'), '-p', 'tsconfig.build.json', '--incremental', '--tsBuildInfoFile', memory]) === 0
}

function buildReport() {
  return !existsSync(reportScript) || runNode([reportScript, reportClient]) === 0
}

/** Files of src/ that are not TypeScript and belong into the package, such as kernels.wasm and the report's client script. */
function assets() {
  const isPublished = (file) => !file.endsWith('.ts') && !notPublished.some((folder) => file.startsWith(folder + '/'))
  return filesBelow(sources).filter(isPublished)
}

const inDist = (source) => join(at('dist'), relative(sources, source))

function copyAssets() {
  for (const file of assets()) {
    mkdirSync(dirname(inDist(file)), { recursive: true })
    copyFileSync(file, inDist(file))
  }
}

/** The compiler turns `./x.ts` into `./x.js`, but forgets an `import()` in a function that has `using` declarations. */
function importsAreRewritten() {
  const forgotten = filesBelow(at('dist')).filter(
    (file) => file.endsWith('.js') && /\bimport\(['"]\.[^'"]*\.ts['"]\)/.test(readFileSync(file, 'utf8')),
  )
  for (const file of forgotten)
    process.stderr.write(`build: ${relative(root, file)} imports a .ts file: move its import() out of the function with \`using\`\n`)
  return forgotten.length === 0
}

/** Removes what earlier builds left in dist/ and no source stands for any more. */
function removeStale() {
  const wanted = new Set([...assets().map(inDist), reportClient])
  for (const file of filesBelow(sources)) {
    if (!file.endsWith('.ts') || isTest(file) || notPublished.some((folder) => file.startsWith(folder + '/'))) continue
    const stem = inDist(file).replace(/(\.d)?\.ts$/, '')
    wanted.add(`${stem}.js`).add(`${stem}.d.ts`)
  }
  for (const file of filesBelow(at('dist'))) if (!wanted.has(file)) rmSync(file)
  removeEmptyFolders(at('dist'))
}

function removeEmptyFolders(folder) {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) removeEmptyFolders(join(folder, entry.name))
  if (readdirSync(folder).length === 0 && folder !== root) rmdirSync(folder)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = build() ? 0 : 1
