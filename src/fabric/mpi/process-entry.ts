/**
 * Entry of every process that mpirun starts: `node process-entry.js --module <file URL>`. The job comes down the standard input of the first
 * process and by broadcast to the others; the rank module is named on the command line only.
 * @packageDocumentation
 */
import type { Buffer } from 'node:buffer'
import { deserialize } from 'node:v8'
import type { FromThread, ToThread } from '../launchers/messages.ts'
import { FrameReader } from '../launchers/frames.ts'
import { exitNow } from '../launchers/native-exit.ts'
import { startThread } from '../launchers/process-host.ts'
import type { JobFrame } from './job-frame.ts'
import { controlRun } from './process-control.ts'

const at = process.argv.indexOf('--module')
const moduleUrl = process.argv[at + 1]
if (at < 0 || moduleUrl === undefined) {
  process.stderr.write('tutti: process-entry: no rank module — expected --module URL (this file is started by the package itself)\n')
  process.exit(2)
}

let connected = false
// Only the first process of the world has a standard input.
const first = process.env['OMPI_COMM_WORLD_RANK'] === '0'
const job = first ? await readJob() : undefined
const leader = startThread()
const onError = (error: Error): void => {
  process.stderr.write(`tutti: ${error.message}\n`)
  exitNow(1)
}
leader.on('error', onError)
const joined = await new Promise<Extract<FromThread, { type: 'joined' }>>((resolve) => {
  const listen = (message: FromThread): void => {
    if (message.type === 'broken') {
      process.stderr.write(`tutti: ${message.error.message}\n`)
      exitNow(1)
    }
    if (message.type !== 'joined') return
    leader.off('message', listen)
    resolve(message)
  }
  leader.on('message', listen)
  leader.postMessage({ type: 'join', ...(job === undefined ? {} : { job }) } satisfies ToThread)
})
leader.off('error', onError)
const spec = deserialize(joined.job) as JobFrame
await controlRun(leader, joined.world, { ...spec, moduleUrl }, joined.job, {
  keepLeader: false,
  exitOnFailure: true,
  // From here on the connection tells whether the driver lives; mpirun closes the standard input when any rank has died.
  onConnected: () => {
    connected = true
  },
})
process.exit(0)

/** The one frame of the standard input. When it closes before this process is connected, the driver is gone. */
function readJob(): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const reader = new FrameReader((value) => resolve(value as Uint8Array))
    process.stdin.on('data', (chunk: Buffer) => reader.push(chunk))
    const closed = (): void => {
      if (!connected) exitNow(1)
    }
    process.stdin.on('end', closed)
    process.stdin.on('error', closed)
  })
}
