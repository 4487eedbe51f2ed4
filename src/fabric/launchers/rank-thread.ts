/**
 * Entry of every worker thread of the fabric: rank threads, service threads, and the one thread of `virtual`. Waits for messages of its control
 * thread between runs; during a run it blocks wherever its rank does.
 * @packageDocumentation
 */
import { parentPort } from 'node:worker_threads'
import { errorToJSON } from '../../errors.ts'
import type { FromThread, ToThread } from './messages.ts'

const port = parentPort
if (port === null) throw new Error('this file is the entry of a worker thread')
/** Whether this thread has started MPI. */
let isLeader = false
const post = (message: FromThread): void => port.postMessage(message)

port.on('message', (message: ToThread) => {
  handle(message).catch((error: unknown) => {
    post({ type: 'broken', error: errorToJSON(error) })
    if (message.type === 'begin') post({ type: 'parked' })
  })
})

async function handle(message: ToThread): Promise<void> {
  switch (message.type) {
    case 'begin': {
      if (message.role === 'virtual') {
        const { runVirtual } = await import('./run-virtual.ts')
        await runVirtual(message, post)
      } else {
        const { runRank } = await import('./run-rank.ts')
        await runRank(message, post)
      }
      return
    }
    case 'join':
    case 'comms': {
      isLeader = true
      const { mpiLeader } = await import('../mpi/mpi-leader.ts')
      await mpiLeader(message, post)
      return
    }
    case 'exit': {
      if (isLeader) {
        const { leaveMpi } = await import('../mpi/mpi-leader.ts')
        leaveMpi()
      }
      post({ type: 'exited' })
      port?.close()
    }
  }
}
