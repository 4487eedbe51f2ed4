/**
 * Ranks with service threads: both sum among their own kind at the same time, a rank and its service meet in shared memory, and where processes
 * do not share memory a rank asks the services of all ranks by mailbox.
 */
import type { Request } from '../../src/fabric/communicator.ts'
import type { RankEnvironment, RankModule, RankTask } from '../../src/fabric/launch.ts'

const rounds = 50
const askTag = 1
const answerTag = 2

/** What a rank reports. */
export interface ServiceResult {
  readonly ranksSum: number
  readonly servicesSum: number
  readonly answers: readonly number[]
}

/** What the test passes. */
export interface ServiceJob {
  /** How long ranks keep their services waiting before the first round, in ms. */
  readonly idleMs: number
}

export const rankModule: RankModule<ServiceJob, ServiceResult> = {
  prepare: async (_job, process) => ({ sharedBytes: 4096 * process.ranks.length, bytesPerRank: 4096, service: true }),

  *run(env) {
    const { comm } = env
    const words = meetingPlace(env)
    const data = env.allocate('float32', 100, 'sum')
    yield new Promise((resolve) => setTimeout(resolve, env.job.idleMs))
    for (let round = 1; round <= rounds; round++) {
      data.fill(comm.rank + 1)
      Atomics.store(words, 0, round)
      env.ring()
      yield comm.start({ kind: 'allReduce', data, op: 'sum' }, { waitsAtOnce: true })
      yield env.until('the service', () => Atomics.load(words, 1) >= round)
    }
    const answers = env.mailbox === undefined ? [] : yield* ask(env)
    return { ranksSum: data[0] as number, servicesSum: Atomics.load(words, 2), answers }
  },

  *serve(env) {
    const words = meetingPlace(env)
    const data = new Float32Array(37)
    for (let round = 1; round <= rounds; round++) {
      yield env.until('the rank', () => Atomics.load(words, 0) >= round)
      data.fill(10 * (env.comm.rank + 1))
      yield env.comm.start({ kind: 'allReduce', data, op: 'sum' })
      Atomics.store(words, 2, data[36] as number)
      Atomics.store(words, 1, round)
      env.ring()
    }
    if (env.mailbox !== undefined) yield* answer(env)
  },
}

/** Words that a rank and the service beside it both see: [round of the rank, round of the service, sum of the services]. */
function meetingPlace(env: RankEnvironment<ServiceJob>): Int32Array<SharedArrayBuffer> {
  let own: Int32Array<SharedArrayBuffer> | undefined
  // Every rank makes the same calls and takes its own.
  for (let localRank = 0; (localRank + 1) * 4096 <= 4096 * (env.localRank + 1); localRank++) {
    const words = env.shared('int32', 1024, `meeting ${localRank}`)
    own = env.segment.shared(env.segment.handleOf(words))
  }
  return own as Int32Array<SharedArrayBuffer>
}

function* ask(env: RankEnvironment<ServiceJob>): Generator<Request, number[], unknown> {
  const mailbox = env.mailbox as NonNullable<typeof env.mailbox>
  const replies = Array.from({ length: env.worldSize }, () => new Int32Array(1))
  const receiving = replies.map((into, from) => mailbox.start({ kind: 'recv', into, from, tag: answerTag }))
  for (let to = 0; to < env.worldSize; to++) yield mailbox.start({ kind: 'send', data: Int32Array.of(env.rank), to, tag: askTag })
  for (const each of receiving) yield each
  return replies.map((reply) => reply[0] as number)
}

/** Answers each rank once: 100 × own rank + the asker's. */
function* answer(env: RankEnvironment<ServiceJob>): RankTask {
  const mailbox = env.mailbox as NonNullable<typeof env.mailbox>
  const asked = Array.from({ length: env.worldSize }, () => new Int32Array(1))
  const receiving = asked.map((into, from) => mailbox.start({ kind: 'recv', into, from, tag: askTag }))
  for (const [to, each] of receiving.entries()) {
    yield each
    yield mailbox.start({ kind: 'send', data: Int32Array.of(100 * env.rank + (asked[to]?.[0] as number)), to, tag: answerTag })
  }
}
