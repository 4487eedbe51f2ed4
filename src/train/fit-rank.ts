/**
 * A classical job on the ranks of a fabric: rows in the data segment, a learner on this rank's block of them, its statistic in the model segment.
 * @packageDocumentation
 */
import { attachDataset, type PlacedDataset, placedBytes, placeInto } from '../data/place.ts'
import { blockRange } from '../fabric/communicator.ts'
import type { Prepared, ProcessInfo, RankEnvironment, RankTask } from '../fabric/launch.ts'
import { kernelsFor } from '../kernels/load.ts'
import type { Handle } from '../memory/handle.ts'
import { requireMemory } from '../memory/machine.ts'
import { Region } from '../memory/region.ts'
import { Segment } from '../memory/segment.ts'
import { placedRows } from './batch-source.ts'
import { type Allocate, countBytes } from './buffers.ts'
import { dereference } from './data-reference.ts'
import { execute, wait } from './executor.ts'
import type { FitJob } from './job.ts'
import { programHash } from './program.ts'
import type { RankResult } from './rank-result.ts'
import type { LearnerShape, StatisticLearner } from './statistic.ts'
import { StatisticMachine } from './statistic-machine.ts'
import { StepClock } from './step-clock.ts'

/** Wishes behind the statistic: stop and save. */
const wishes = 2

interface DataInfo {
  readonly placed: PlacedDataset
  readonly staging: Readonly<Record<number, Handle>>
}

/** Finds the learner that a job names: in the package's table, or in a file that whoever started this process allowed. */
export type FindLearner = (name: FitJob['learner']) => Promise<StatisticLearner>

/** Places rows and counts bytes; once per process. */
export async function prepareFit(job: FitJob, process: ProcessInfo, findLearner: FindLearner): Promise<Prepared> {
  const dataset = await dereference(job.data)
  const learner = await findLearner(job.learner)
  const shape = shapeOf(job, dataset.rows, dataset.features.values.length / dataset.rows, process.worldSize)
  const stagingBytes = countBytes((allocate) => learner.layOut?.(shape, allocate))
  const bytesPerRank = countBytes((allocate) => layOutStatistic(learner, shape, allocate))
  const rowBytes = placedBytes(dataset, { test: false })
  requireMemory(rowBytes + (stagingBytes + bytesPerRank) * process.ranksOnHost, `${process.ranksOnHost} ranks on ${dataset.name}`)
  const segment = Segment.create(rowBytes + (stagingBytes + 64) * process.ranks.length, 'data')
  const info: DataInfo = {
    placed: placeInto(dataset, segment, { test: false }),
    staging: Object.fromEntries(
      process.ranks.map((rank) => [rank, segment.handleOf(segment.allocate('uint8', stagingBytes, `staging of rank ${rank}`))]),
    ),
  }
  return { sharedBytes: 0, bytesPerRank, segments: { data: segment.ref }, info }
}

/** One rank, from its rows to its result. */
export function* runFit(rank: RankEnvironment<FitJob>, findLearner: FindLearner): RankTask<RankResult> {
  const { job, worldSize } = rank
  const info = rank.info as DataInfo
  const learner = (yield findLearner(job.learner)) as StatisticLearner
  const segment = rank.segments.data as Segment
  const data = placedRows(attachDataset(info.placed, segment))
  const shape = shapeOf(job, data.rows, data.width, worldSize)
  const stage = info.staging[rank.rank] as Handle
  const region = new Region(segment, stage.byteOffset, stage.length, `staging of rank ${rank.rank}`)
  const memory = learner.layOut?.(shape, (...of) => region.allocate(...of))
  const summed = layOutStatistic(learner, shape, (...of) => rank.allocate(...of))
  const range = blockRange(data.rows, worldSize, rank.rank)
  const kernels = kernelsFor(segment)
  const statistic = summed.subarray(0, summed.length - wishes)
  const context = { ...shape, rank: rank.rank, seed: job.seed, data, range, kernels, memory, statistic }
  // One per cent of the rows, discarded: kernels are compiled in earnest and caches are warm before the clock starts.
  learner
    .open({ ...context, range: { start: range.start, end: range.start + Math.ceil((range.end - range.start) / 100) } })
    .localStat('body')
  const opened = learner.open(context)
  yield* wait(rank.comm.agree(`${job.version} ${programHash(job.program)} ${job.data.hash}`))
  const clock = new StepClock(() => rank.now(), rank.rank, job.maxSteps)
  const machine = new StatisticMachine(job, rank, opened, summed, { own: range.end - range.start, all: data.rows }, clock)
  yield* execute(job.program, rank, machine)
  const { compute, exchange, other } = clock.totals
  return {
    steps: machine.step,
    interrupted: machine.interrupted,
    trainSeconds: clock.trainSeconds,
    computeSeconds: compute,
    exchangeSeconds: exchange,
    otherSeconds: other,
    stepTimes: clock.samples,
    trace: clock.trace,
    ...(rank.rank === 0 ? { state: copied(opened.state) } : {}),
    ...(opened.ofRows ? { ofRows: Object.fromEntries(Object.entries(opened.ofRows).map(([name, values]) => [name, values.slice()])) } : {}),
  }
}

function shapeOf(job: FitJob, rows: number, width: number, worldSize: number): LearnerShape {
  return { rows, width, worldSize, options: job.options }
}

function layOutStatistic(learner: StatisticLearner, shape: LearnerShape, allocate: Allocate): Float64Array<ArrayBuffer> {
  return allocate('float64', learner.statisticLength(shape) + wishes, 'statistic')
}

function copied(state: NonNullable<RankResult['state']>): NonNullable<RankResult['state']> {
  return Object.fromEntries(Object.entries(state).map(([name, { shape, values }]) => [name, { shape, values: values.slice() }]))
}
