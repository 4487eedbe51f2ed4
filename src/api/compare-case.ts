/**
 * The entry of a process that runs one case of a comparison: so its peak memory is that of the case alone, and what it breaks is one case.
 * It stops at an agreed step when told to, and when the process that compares is gone.
 * @packageDocumentation
 */
import { rmSync } from 'node:fs'
import { errorToJSON } from '../errors.ts'
import { exitNow } from '../fabric/launchers/native-exit.ts'
import type { RunRecord } from '../records/record.ts'
import { RunFolder } from '../records/run-folder.ts'
import { dereference } from '../train/data-reference.ts'
import type { CaseSpec, FromCase, ToCase } from './case-messages.ts'
import { referencedSystem } from './system-reference.ts'
import { runWorkload } from './workloads/run.ts'

/** Once nobody waits for the run any more, it has this long to stop in order, in ms. */
const aloneMs = 10_000

const controller = new AbortController()

process.on('message', (message: ToCase) => {
  if (message.type === 'stop') controller.abort()
  else void runCase(message.spec)
})
process.on('disconnect', () => {
  // Told to stop and then left alone: whoever compares has ended at once, and so does this.
  if (controller.signal.aborted) exitNow(1)
  controller.abort()
  setTimeout(() => exitNow(1), aloneMs).unref()
})
// Ctrl-C reaches every process of the terminal: the one that compares decides, and says so.
process.on('SIGINT', () => {})
process.on('SIGHUP', () => {})
process.on('SIGTERM', () => controller.abort())
process.on('uncaughtException', (error: unknown) => {
  void leave({ type: 'broke', message: error instanceof Error ? error.message : String(error) }, 1)
})

async function runCase(spec: CaseSpec): Promise<void> {
  const { dir, temporary } = spec
  try {
    const record = await recordOf(spec)
    if (temporary) new RunFolder(dir).finish(record)
    await leave({ type: 'ended' }, 0)
  } catch (error) {
    await leave({ type: 'failed', error: errorToJSON(error) }, 0)
  } finally {
    if (temporary) rmSync(dir, { recursive: true, force: true })
    exitNow(1)
  }
}

/** The record of the run; of a failed one, too, where there is one. @throws what kept the run from starting. */
async function recordOf({ workload, options, system, validation, dir, temporary }: CaseSpec): Promise<RunRecord> {
  const scored = validation && { train: { ...options.train, validation: await dereference(validation) } }
  const own = { ...options, ...scored, system: await referencedSystem(system), ...(temporary ? {} : { out: dir }) }
  try {
    return await runWorkload(workload, own, { signal: controller.signal, onEvent: (event) => say({ type: 'event', event }) })
  } catch (error) {
    const { record } = error as { record?: RunRecord }
    if (record === undefined) throw error
    return record
  }
}

function say(message: FromCase): void {
  if (process.connected) process.send!(message, undefined, undefined, () => {})
}

/** Says the last word and ends the process without waiting for threads in native calls; returns where nobody listens. */
function leave(message: FromCase, exitCode: number): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected) return resolve()
    process.send!(message, undefined, undefined, (error) => {
      if (error === null) exitNow(exitCode)
      resolve()
    })
  })
}
