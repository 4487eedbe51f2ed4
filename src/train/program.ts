/**
 * A Program is what every rank executes: plain data with structure, `{ setup, body, drain }`, where a body is a list of instructions
 * and loops. Stop, evaluation, checkpoints and reports are instructions, so all ranks agree on the step at which they happen.
 * The executor runs it, the deadlock checker walks it, its hash is what ranks compare before the first step.
 *
 * Buffers are named, not addressed:
 *   `gradients`   this rank's flat gradient (partial sum of its rows), followed by the tail: loss, stop, checkpoint
 *   `parameters`  this rank's replica of the parameters
 *   `statistic`   the mergeable statistic of a classical learner, float64
 * @packageDocumentation
 */
import { createHash } from 'node:crypto'
import type { AllReduceAlgorithm } from '../fabric/communicator.ts'

/** Flat buffers that instructions name. */
export type BufferName = 'gradients' | 'parameters' | 'statistic'

/** One thing that a rank does. */
export type Instruction =
  /** Gathers this rank's rows of the next global batch into the other half of the double buffer. */
  | { readonly do: 'batch' }
  /** Forward and backward: writes loss and gradients. `segment` k of a model cut by `bucket`, all of it when absent. */
  | { readonly do: 'gradients'; readonly segment?: number }
  /** Broadcasts a buffer from rank 0. */
  | { readonly do: 'broadcast'; readonly buffer: BufferName }
  /** Sums a buffer over the ranks, in place; `bucket` limits it to one bucket of the layout. `overlap` hands it to the service thread. */
  | {
      readonly do: 'allReduce'
      readonly buffer: BufferName
      readonly bucket?: number
      readonly algorithm: AllReduceAlgorithm
      readonly overlap?: boolean
    }
  /** Until every overlapped exchange has completed. */
  | { readonly do: 'join' }
  /** Multiplies a buffer by this rank's share of the global batch, so that the sum over the ranks is the weighted mean. */
  | { readonly do: 'weigh'; readonly buffer: BufferName }
  /** Clips the gradient where the job asks for it, then applies the update rule to the replica: the only writer of parameters and slots. */
  | { readonly do: 'update' }
  /** Sends the gradient to the declared store and advances this rank's clock. */
  | { readonly do: 'push' }
  /** Reads the parameters from the store as soon as its admission rule lets this rank go on. */
  | { readonly do: 'pull' }
  /** A method of the learner that the job names (`localStat`, `nextState`): classical systems. */
  | { readonly do: 'call'; readonly method: 'localStat' | 'nextState'; readonly stage: 'setup' | 'body' | 'drain' }
  /** Counts the step, its samples and times; throttled to the driver. */
  | { readonly do: 'report' }
  /** Ranks learn whether to stop or to save: from the tail of what was summed, by a small exchange of its own, or each alone. */
  | { readonly do: 'agree'; readonly by: 'tail' | 'exchange' | 'alone' }
  /**
   * Scores the model, rows shared out over the ranks. `replica`: this rank's parameters, which all ranks share; `average`: of the averaged parameters;
   * `snapshot`: rank 0 only copies, nobody waits; `snapshots`: all ranks score the copies; `learner`: what a classical learner reports.
   */
  | { readonly do: 'evaluate'; readonly of: 'replica' | 'average' | 'snapshot' | 'snapshots' | 'learner' }
  /** Saves, if `agree` said so or `always`. What is saved follows from the Program: one replica, every rank's, or the store. */
  | { readonly do: 'checkpoint'; readonly always?: boolean }
  | { readonly do: 'barrier' }
  /** This rank pushes no more: its clock no longer holds others back. */
  | { readonly do: 'retire' }
  | Loop

/** Control flow: `repeat` is left when ranks agreed to stop, `every` runs on each `period`-th pass, `unlessInterrupted` not after Ctrl-C. */
export type Loop =
  | { readonly loop: 'repeat'; readonly times: number; readonly body: readonly Instruction[] }
  | { readonly loop: 'every'; readonly period: number; readonly body: readonly Instruction[] }
  | { readonly loop: 'unlessInterrupted'; readonly body: readonly Instruction[] }

/** The declared store of a parameter server (Li et al., OSDI 2014): keys are contiguous shards of the flat parameter buffer. */
export interface StoreSpec {
  /** Shards; shard s lives with rank s where ranks do not share memory. */
  readonly shards: number
  /**
   * When a pull is answered. `bsp`: after every rank pushed the same clock, applied in rank order.
   * `ssp`: this rank's clock is at most `staleness` ahead of the slowest. `asp`: at once.
   */
  readonly admission: { readonly kind: 'bsp' } | { readonly kind: 'ssp'; readonly staleness: number } | { readonly kind: 'asp' }
}

/** What a system builds. SPMD: every rank runs the same tree; what differs follows from its rank. */
export interface Program {
  readonly setup: readonly Instruction[]
  readonly body: readonly Instruction[]
  readonly drain: readonly Instruction[]
  /** Parameter names by bucket, in the order in which backward finishes them; one bucket when absent. */
  readonly buckets?: readonly (readonly string[])[]
  readonly store?: StoreSpec
  /** Replicas may differ between exchanges: checkpoints hold every rank's. */
  readonly replicasDiffer: boolean
  /** What the loss of one rank's batch is divided by: the weight of the global batch (gradients are partial sums) or of its own (local steps). */
  readonly divisor: 'global' | 'local'
}

/** Fingerprint that ranks compare: SHA-256 of the canonical JSON. */
export function programHash(program: Program): string {
  return createHash('sha256').update(JSON.stringify(program)).digest('hex')
}

/**
 * Fingerprint of what a Program learns, which a run that goes on from a checkpoint must share with the run that wrote it. Left out is what may change in
 * between: how long the run is, when it is scored or saved, over how many ranks and shards it is spread, and how gradients are summed over them.
 */
export function learningHash({ body, store, divisor }: Program): string {
  const learned = JSON.stringify({ body: learning(body), admission: store?.admission, divisor })
  return createHash('sha256').update(learned).digest('hex')
}

function learning(body: readonly Instruction[]): unknown[] {
  return body.flatMap((instruction): unknown[] => {
    if ('loop' in instruction) {
      const inner = learning(instruction.body)
      if (inner.length === 0) return []
      return [instruction.loop === 'every' ? { period: instruction.period, inner } : { loop: instruction.loop, inner }]
    }
    switch (instruction.do) {
      case 'report':
      case 'agree':
      case 'evaluate':
      case 'checkpoint':
      case 'barrier':
      case 'join':
        return []
      case 'gradients':
        return (instruction.segment ?? 0) === 0 ? ['gradients'] : []
      case 'allReduce':
        return instruction.buffer === 'gradients' ? [] : [`sum ${instruction.buffer}`]
      default:
        return [instruction]
    }
  })
}

/** Body that runs every `period`-th pass of the enclosing `repeat` (counted from 1). */
export function every(period: number, ...body: Instruction[]): Instruction {
  return { loop: 'every', period, body }
}

/** Body that runs `times` times, or until ranks agreed to stop. */
export function repeat(times: number, ...body: Instruction[]): Instruction {
  return { loop: 'repeat', times, body }
}

/** Every instruction of a Program in textual order, loops entered once. */
export function* walk(instructions: readonly Instruction[]): Generator<Exclude<Instruction, Loop>> {
  for (const instruction of instructions) {
    if ('loop' in instruction) yield* walk(instruction.body)
    else yield instruction
  }
}
