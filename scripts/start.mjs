#!/usr/bin/env node
// `npm start`: set-up if needed, then `tutti compare` on its default preset. Further arguments go to it (`npm start -- --help`).
import { at } from './project.mjs'
import { runCli } from './tutti.mjs'
import { setUp } from './setup.mjs'

const { ready, built } = await setUp()
process.exitCode = ready && built ? await runCli(at('dist/cli/main.js'), ['compare', ...process.argv.slice(2)]) : 1
