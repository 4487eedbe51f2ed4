#!/usr/bin/env node
// `npm run setup`: npm's packages, the system's (Debian and Ubuntu, as root), dist/. Does only what is missing; run it as often as you like.
import { fileURLToPath } from 'node:url'
import { installNodeModules, installSystemPackages } from './packages.mjs'

/**
 * Makes the clone ready to run.
 * @param forTests - also the system packages that only the tests need
 * @param again - try system packages once more although an earlier attempt failed
 * @returns `ready`: packages are installed; `built`: dist/ is complete as well
 */
export async function setUp({ forTests = false, again = false } = {}) {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    process.stderr.write(`set-up: Node ${process.versions.node} is too old — expected 20.19 or newer (https://nodejs.org)\n`)
    return { ready: false, built: false }
  }
  if (!installNodeModules()) return { ready: false, built: false }
  installSystemPackages({ forTests, again })
  const { buildIfNeeded } = await import('./build.mjs')
  return { ready: true, built: buildIfNeeded() }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { ready, built } = await setUp({ again: true })
  if (ready && built) process.stderr.write('set-up complete\n')
  process.exitCode = ready && built ? 0 : 1
}
