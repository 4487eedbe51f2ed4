#!/usr/bin/env node
// `npm test`: set-up if needed, then format and lint, promise rules, types, all tests. `npm test -- src/graph` narrows the tests to
// files whose path contains an argument. The last line is `N passed, N failed`; each check counts as one test.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { at, commandOf, runNode } from './project.mjs'
import { setUp } from './setup.mjs'

const tally = { passed: 0, failed: 0, skipped: 0 }

const { ready, built } = await setUp({ forTests: true })
check('set-up and build', () => ready && built)
if (ready) {
  check('format and lint (biome)', () => runNode([commandOf('@biomejs/biome', 'biome'), 'check', '--reporter=summary']) === 0)
  check('promises (eslint)', () => runNode([commandOf('eslint'), '.']) === 0)
  check('types (tsc)', () => runNode([commandOf('typescript', 'tsc'), '--noEmit']) === 0)
  runTests(process.argv.slice(2))
}
if (tally.skipped > 0) console.log(`${tally.skipped} skipped: each says why above or in its file`)
console.log(`${tally.passed} passed, ${tally.failed} failed`)
process.exitCode = tally.failed > 0 ? 1 : 0

function check(title, passes) {
  const started = performance.now()
  const ok = passes()
  tally[ok ? 'passed' : 'failed']++
  console.log(`${ok ? '✓' : '✗'} ${title} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
}

/** Runs Vitest and adds its own count. A file that cannot be loaded, an unhandled error and a crash of the runner each count as a failure. */
function runTests(filters) {
  const output = at('.build/vitest.json')
  rmSync(output, { force: true })
  const status = runNode([commandOf('vitest'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${output}`, ...filters])
  if (!existsSync(output)) {
    check('tests (vitest ended without a result)', () => false)
    return
  }
  const result = JSON.parse(readFileSync(output, 'utf8'))
  const notLoaded = result.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  for (const file of notLoaded) console.log(`✗ ${file.name}: ${file.message.split('\n')[0]}`)
  tally.passed += result.numPassedTests
  tally.failed += result.numFailedTests + notLoaded.length
  tally.skipped += result.numPendingTests + result.numTodoTests
  const unexplained = status !== 0 && result.numFailedTests + notLoaded.length === 0
  if (unexplained) check('tests (vitest reported an error outside any test)', () => false)
  if (result.numTotalTests === 0) check('tests (none found)', () => false)
}
