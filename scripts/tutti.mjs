#!/usr/bin/env node
// `npm run -s tutti -- ARGS`: the command line of this clone; installs and builds only what is missing or out of date.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { at } from './project.mjs'
import { setUp } from './setup.mjs'

/**
 * Runs the built command line in the same terminal and gives its exit code. Signals that reach only this process are passed on;
 * Ctrl-C reaches both by itself, and the command decides what it means.
 */
export function runCli(main, args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args], { stdio: 'inherit' })
    process.on('SIGINT', () => {})
    process.on('SIGTERM', () => child.kill('SIGTERM'))
    process.on('SIGHUP', () => child.kill('SIGHUP'))
    child.on('error', (error) => {
      process.stderr.write(`${error.message}\n`)
      resolve(1)
    })
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { ready, built } = await setUp()
  process.exitCode = ready && built ? await runCli(at('dist/cli/main.js'), process.argv.slice(2)) : 1
}
