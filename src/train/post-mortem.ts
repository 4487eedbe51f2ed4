import type { ErrorJSON } from '../errors.ts'
import type { LostProcess } from '../fabric/launch.ts'
import type { Segment } from '../memory/segment.ts'
import { slotNames } from '../nn/optimizer-spec.ts'
import { publishCheckpoint, writeTensors } from './checkpoint.ts'
import type { TrainJob } from './job.ts'
import { readScoreState } from './evaluator.ts'
import { manifest, namedTensors } from './saver.ts'

/**
 * A peer was lost and the rank threads can no longer run: the lowest surviving rank's control thread writes the last committed step from memory. Only
 * where one replica stands for all: differing replicas, stores, and models whose batches carry state on (of each rank its own, and perhaps of the
 * step that was lost) go on from the last periodic checkpoint.
 */
export function saveFromMemory(job: TrainJob, process: LostProcess, error: ErrorJSON): void {
  const { checkpoint, program, model } = job
  if (checkpoint === undefined || program.replicasDiffer || program.store !== undefined || model.carried !== undefined) return
  const lost = new Set((error.details.ranks ?? []) as readonly number[])
  const saver = Array.from({ length: process.worldSize }, (_, rank) => rank).find((rank) => !lost.has(rank))
  const step = saver === undefined ? 0 : (process.steps[saver] ?? 0)
  if (saver === undefined || !process.ranks.includes(saver) || step === 0) return
  const segment = process.segments.model as Segment
  const flat = (label: string): Float32Array<ArrayBuffer> | undefined => {
    const handle = process.handles[`${saver}/${label}`]
    return handle && segment.view({ ...handle, dtype: 'float32' })
  }
  const parameters = flat('parameters')
  const best = flat('best parameters')
  const scores = process.handles[`${saver}/score`]
  const slots = slotNames(job.optimizer).map(flat)
  if (parameters === undefined || scores === undefined || slots.includes(undefined)) return
  writeTensors(checkpoint.dir, step, undefined, namedTensors(job.layout, parameters, slots as Float32Array<ArrayBuffer>[], best))
  const score = readScoreState(segment.view({ ...scores, dtype: 'float64' }))
  publishCheckpoint(checkpoint.dir, manifest(job, step, process.worldSize, score))
  process.emit({ type: 'checkpoint', step, dir: checkpoint.dir })
}
