/**
 * Runs a Program on one rank. It knows loops, exchanges, agreement and the clock; what an instruction computes is the machine's
 * (train/trainer.ts for networks, train/statistic.ts for classical learners). Nothing here blocks: what must be waited for is yielded, so the
 * same executor runs on rank threads, which block, and on `virtual`, which interleaves.
 * @packageDocumentation
 */
import type { Request } from '../fabric/communicator.ts'
import type { RankEnvironment, RankTask } from '../fabric/launch.ts'
import type { NumericArray } from '../memory/dtype.ts'
import type { BufferName, Instruction, Loop, Program } from './program.ts'
import type { Stage } from './statistic.ts'
import type { Activity, StepClock } from './step-clock.ts'

/** Exchange of one bucket by the thread beside the rank, where the fabric has one. */
export interface OverlapChannel {
  /** Hands the bucket over; the service thread starts at once. */
  post(bucket: number): void
  /** Completes when everything that was posted has been exchanged. */
  join(): Request
}

/** What a rank computes. Methods that return nothing have finished; a promise or request is waited for by the executor. */
export interface Machine {
  /** Steps done; a resumed run starts above 0. */
  step: number
  /** Ranks agreed that this pass is the last, */
  readonly stopping: boolean
  /** and that it was because somebody asked for it. */
  readonly interrupted: boolean
  batch(): void
  gradients(segment: number | undefined): Promise<void>
  /** The array that an exchange covers: one bucket, or all of it with its tail. */
  buffer(name: BufferName, bucket?: number): NumericArray
  /** Called just before a buffer is summed: puts this rank's wishes into its tail. */
  beforeSum(name: BufferName): void
  /** Decides whether to stop or to save. */
  agree(by: 'tail' | 'exchange' | 'alone'): RankTask
  weigh(name: BufferName): void
  update(): void
  push(): RankTask
  pull(): RankTask
  retire(): RankTask
  call(method: 'localStat' | 'nextState', stage: Stage): void
  report(): void
  evaluate(of: 'replica' | 'average' | 'snapshot' | 'snapshots' | 'learner'): RankTask
  checkpoint(always: boolean): RankTask
  readonly overlap?: OverlapChannel
  readonly clock: StepClock
}

const activities: Readonly<Record<Exclude<Instruction, Loop>['do'], Activity>> = {
  batch: 'compute',
  gradients: 'compute',
  update: 'compute',
  weigh: 'compute',
  broadcast: 'exchange',
  call: 'compute',
  allReduce: 'exchange',
  join: 'exchange',
  push: 'exchange',
  pull: 'exchange',
  agree: 'exchange',
  barrier: 'exchange',
  retire: 'exchange',
  report: 'other',
  evaluate: 'other',
  checkpoint: 'other',
}

/** One rank's run of a Program. The train clock starts after `setup`. */
export function* execute(program: Program, rank: RankEnvironment, machine: Machine): RankTask {
  const pending: Request[] = []
  yield* run(program.setup)
  yield* wait(rank.comm.start({ kind: 'barrier' }, { waitsAtOnce: true, phase: 'start' }))
  machine.clock.start()
  yield* run(program.body)
  yield* run(program.drain)

  function* run(body: readonly Instruction[], pass = 0): RankTask {
    for (const instruction of body) {
      if (!('loop' in instruction)) yield* perform(instruction)
      else if (instruction.loop === 'repeat') {
        // A resumed rank continues the count where it stood, so that `every` fires on the same steps.
        for (let n = body === program.body ? machine.step : 0; n < instruction.times && !machine.stopping; n++)
          yield* run(instruction.body, n + 1)
      } else if (instruction.loop === 'unlessInterrupted') {
        if (!machine.interrupted) yield* run(instruction.body, pass)
      } else if (pass % instruction.period === 0) yield* run(instruction.body, pass)
    }
  }

  function* perform(instruction: Exclude<Instruction, Loop>): RankTask {
    const from = machine.clock.now()
    rank.status(instruction.do, machine.step)
    switch (instruction.do) {
      case 'batch':
        machine.batch()
        break
      case 'gradients':
        yield machine.gradients(instruction.segment)
        break
      case 'allReduce': {
        const { buffer, bucket, algorithm, overlap } = instruction
        const last = bucket === undefined || bucket === (program.buckets?.length ?? 1) - 1
        if (last) machine.beforeSum(buffer)
        if (overlap && machine.overlap) machine.overlap.post(bucket ?? 0)
        else {
          const operation = { kind: 'allReduce', data: machine.buffer(buffer, bucket), op: 'sum', algorithm } as const
          const request = rank.comm.start(operation, { waitsAtOnce: !overlap, phase: buffer })
          if (overlap) pending.push(request)
          else yield* wait(request)
        }
        break
      }
      case 'join':
        if (machine.overlap) yield* wait(machine.overlap.join())
        for (const request of pending.splice(0)) yield* wait(request)
        break
      case 'weigh':
        machine.weigh(instruction.buffer)
        break
      case 'broadcast':
        yield* wait(rank.comm.start({ kind: 'broadcast', data: machine.buffer(instruction.buffer), root: 0 }, { waitsAtOnce: true }))
        break
      case 'update':
        rank.committing(true)
        machine.update()
        rank.committing(false)
        break
      case 'push':
        yield* machine.push()
        break
      case 'pull':
        yield* machine.pull()
        break
      case 'call':
        machine.call(instruction.method, instruction.stage)
        break
      case 'report':
        machine.report()
        break
      case 'agree':
        yield* machine.agree(instruction.by)
        break
      case 'evaluate':
        yield* machine.evaluate(instruction.of)
        break
      case 'checkpoint':
        yield* machine.checkpoint(instruction.always === true)
        break
      case 'barrier':
        yield* wait(rank.comm.start({ kind: 'barrier' }, { waitsAtOnce: true }))
        break
      case 'retire':
        yield* machine.retire()
        break
    }
    machine.clock.book(activities[instruction.do], instruction.do, from)
  }
}

/** Yields a request, if there is one, so that the fabric waits for it as it can. */
export function* wait(request: Request | undefined): RankTask {
  if (request !== undefined) yield request
}
