// npm's packages and the system's: what is missing, and how it gets there.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { at, isFresh, run, writeStamp } from './project.mjs'

/** Every package of the lock file that this platform needs is installed in its locked version. */
export function nodeModulesAreComplete() {
  const installedFile = at('node_modules/.package-lock.json')
  if (!existsSync(installedFile)) return false
  const locked = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages
  return Object.entries(locked).every(([path, { version, optional, peer }]) => {
    if (path === '') return true
    // Binaries for other platforms are optional and rightly absent.
    return installed[path] === undefined ? optional === true || peer === true : installed[path].version === version
  })
}

/** `npm ci` when it is needed. @returns whether node_modules is complete. */
export function installNodeModules() {
  if (nodeModulesAreComplete()) return true
  process.stderr.write('installing packages with npm ci …\n')
  const status = run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], {
    shell: process.platform === 'win32',
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) process.stderr.write('set-up: npm ci failed — the npm registry must be reachable (see the lines above)\n')
  return status === 0
}

/** What we use of the system: how to see that it is there, and the Debian packages that may bring it, newest first. */
const systemParts = [
  {
    what: 'Open MPI',
    for: 'run',
    present: () => hasCommand('mpirun') && hasLibrary('libmpi.so'),
    packages: [['openmpi-bin'], ['libopenmpi40', 'libopenmpi3t64', 'libopenmpi3']],
  },
  { what: 'oneDNN', for: 'run', present: () => hasLibrary('libdnnl.so'), packages: [['libdnnl3', 'libdnnl2']] },
  { what: 'Chromium', for: 'test', present: () => hasCommand('chromium'), packages: [['chromium']] },
  { what: 'iproute2', for: 'test', present: () => hasCommand('ip'), packages: [['iproute2']] },
]

/**
 * Installs what is missing of the system, on Debian and Ubuntu as root; elsewhere, and when that fails, says in one line what is
 * missing and how to get it. Never fails: everything else works without these parts.
 * @param forTests - also what only the tests need
 * @param again - try once more although an earlier attempt failed
 */
export function installSystemPackages({ forTests, again }) {
  if (process.platform !== 'linux') return
  const missing = systemParts.filter((part) => (forTests || part.for === 'run') && !part.present())
  if (missing.length === 0) return
  const names = missing.map((part) => part.what).join(', ')
  const byHand = `sudo apt-get install ${missing.flatMap((part) => part.packages.map((choices) => choices.at(-1))).join(' ')}`
  const say = (why) => process.stderr.write(`set-up: without ${names} (${why}); the rest works. On Debian or Ubuntu: ${byHand}\n`)
  if (process.env.TUTTI_SYSTEM_PACKAGES === '0') return say('TUTTI_SYSTEM_PACKAGES=0')
  if (!hasCommand('apt-get')) return say('not installed, no apt-get here')
  if (process.getuid() !== 0) return say('not installed, and only root may install it')
  if (!again && isFresh('system-packages', names)) return say('installing it failed before; `npm run setup` tries again')
  process.stderr.write(`installing ${names} with apt-get (TUTTI_SYSTEM_PACKAGES=0 prevents it) …\n`)
  const updated = apt(['update'])
  const wanted = missing.flatMap((part) => part.packages.map(firstAvailable)).filter((name) => name !== undefined)
  const installed = wanted.length > 0 && apt(['install', '--yes', '--no-install-recommends', ...wanted])
  if (installed && missing.every((part) => part.present())) return
  writeStamp('system-packages', names)
  say(updated ? 'apt-get could not install it' : 'apt-get update failed')
}

function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', ...args], { env, stdio: 'ignore' }).status === 0
}

function firstAvailable(choices) {
  return choices.find((name) => spawnSync('apt-cache', ['show', '--no-all-versions', name], { stdio: 'ignore' }).status === 0)
}

function hasCommand(name) {
  return (process.env.PATH ?? '').split(':').some((folder) => folder !== '' && existsSync(`${folder}/${name}`))
}

function hasLibrary(name) {
  const ldconfig = ['/sbin/ldconfig', '/usr/sbin/ldconfig'].find(existsSync)
  return ldconfig !== undefined && spawnSync(ldconfig, ['-p'], { encoding: 'utf8' }).stdout.includes(`${name}`)
}
