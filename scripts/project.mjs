// Where things are, and the few operations that every script needs.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Root of the repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Absolute path of something in the repository. */
export const at = (...parts) => join(root, ...parts)

/** Arguments for `node` that start a package's command: no shell and no .bin link is needed, so it works on Windows too. */
export function commandOf(packageName, binName = packageName.split('/').at(-1)) {
  const home = at('node_modules', packageName)
  const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  return join(home, typeof bin === 'string' ? bin : bin[binName])
}

/** Runs a program to its end. Its exit status, or 1 when it could not start or was killed. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (result.error !== undefined) process.stderr.write(`${command}: ${result.error.message}\n`)
  return result.status ?? 1
}

/** Runs `node` with these arguments. */
export const runNode = (args, options) => run(process.execPath, args, options)

/** All files below a folder, sorted, without node_modules. */
export function filesBelow(folder) {
  if (!existsSync(folder)) return []
  const found = []
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) found.push(...filesBelow(path))
    else found.push(path)
  }
  return found.sort()
}

/** One hash for a set of files: names, sizes and times of change. */
export function fingerprint(files) {
  const hash = createHash('sha256')
  for (const file of files) {
    const { mtimeMs, size } = statSync(file)
    hash.update(`${relative(root, file)}\0${size}\0${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

const stampOf = (name) => at('.build', `${name}.stamp`)

/** True when `name` was built from exactly these files. */
export function isFresh(name, print) {
  return existsSync(stampOf(name)) && readFileSync(stampOf(name), 'utf8') === print
}

/** Remembers what `name` was built from. */
export function writeStamp(name, print) {
  mkdirSync(at('.build'), { recursive: true })
  writeFileSync(stampOf(name), print)
}
