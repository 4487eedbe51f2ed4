#!/usr/bin/env node
// The entry of the command line: binds it to this process. Everything else is program.ts.
import { exitCodes } from './failure.ts'
import { asksForJson, runCli } from './program.ts'

const args = process.argv.slice(2)
const writeResult = process.stdout.write.bind(process.stdout)
// With --json standard output carries one document: what a user's module or a library prints goes to standard error.
if (asksForJson(args)) process.stdout.write = process.stderr.write.bind(process.stderr)

// `tutti systems | head -3`: a reader that has seen enough is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.done)
  throw error
})

process.exitCode = await runCli(args, { stdout: { write: (text) => writeResult(text) }, stderr: process.stderr, endNow })

// Whatever a command forgot to close must not keep the terminal waiting.
setTimeout(() => {
  if (process.env['TUTTI_DEBUG'] === '1') process.stderr.write(`tutti: still open: ${process.getActiveResourcesInfo().join(', ')}\n`)
  process.exit()
}, 2_000).unref()

/** Exit handlers and `process.exit` wait for threads in native calls, which may be what hangs. */
function endNow(exitCode: number): void {
  void import('../fabric/launchers/native-exit.ts').then(({ exitNow }) => exitNow(exitCode))
}
