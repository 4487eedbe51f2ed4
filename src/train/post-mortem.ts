import type { ErrorJSON } from '../errors.ts'
import type { ProcessInfo } from '../fabric/launch.ts'
import { Region } from '../memory/region.ts'
import type { Segment } from '../memory/segment.ts'
import { publishCheckpoint, writeTensors } from './checkpoint.ts'
import { trainBuffers } from './buffers.ts'
import type { TrainJob } from './job.ts'
import { manifest, namedTensors } from './saver.ts'

/** Where a rank's own region lies, and how many steps it has committed. */
export interface RankMemory {
  readonly rank: number
  readonly segment: Segment
  readonly byteOffset: number
  readonly sizeBytes: number
  readonly step: number
}

/**
 * A peer was lost and the rank threads can no longer run: the lowest surviving rank's control thread writes the last committed step from memory. Only
 * where one replica stands for all: differing replicas and stores go on from the last periodic checkpoint.
 */
export function saveFromMemory(job: TrainJob, process: ProcessInfo, survivors: readonly RankMemory[], error: ErrorJSON): void {
  const { checkpoint, program } = job
  if (checkpoint === undefined || program.replicasDiffer || program.store !== undefined) return
  const lost = new Set((error.details.ranks ?? []) as readonly number[])
  const first = Array.from({ length: process.worldSize }, (_, rank) => rank).find((rank) => !lost.has(rank))
  const memory = survivors.find(({ rank }) => rank === first)
  if (memory === undefined || memory.step === 0) return
  const region = new Region(memory.segment, memory.byteOffset, memory.sizeBytes, `rank ${memory.rank}`)
  const { parameters, slots } = trainBuffers(job, (...of) => region.allocate(...of))
  writeTensors(checkpoint.dir, memory.step, undefined, namedTensors(job.layout, parameters, slots))
  const score = { best: undefined, bestStep: 0, sinceBest: 0 }
  publishCheckpoint(checkpoint.dir, manifest(job, memory.step, process.worldSize, score))
  process.emit({ type: 'checkpoint', step: memory.step, dir: checkpoint.dir })
}
