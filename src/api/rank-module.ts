/**
 * What ranks of this package run: training jobs and classical jobs. The fabric loads this file by its own address; jobs are data, and worker code
 * (a learner) comes from the package's table or from a file whose hash the job gives.
 * @packageDocumentation
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { pathToFileURL } from 'node:url'
import { ConfigError } from '../errors.ts'
import type { RankModule, RankTask } from '../fabric/launch.ts'
import { isSystem } from '../systems/define.ts'
import { findSystem } from '../systems/index.ts'
import { prepareFit, runFit } from '../train/fit-rank.ts'
import type { FitJob, Job, TrainJob } from '../train/job.ts'
import type { RankResult } from '../train/rank-result.ts'
import { saveFromMemory } from '../train/post-mortem.ts'
import type { StatisticLearner } from '../train/statistic.ts'
import { prepareTraining, runTraining, serveTraining } from '../train/train-rank.ts'

export const rankModule: RankModule<Job, RankResult> = {
  prepare: (job, process) => (job.kind === 'train' ? prepareTraining(job, process) : prepareFit(job, process, findLearner)),
  *run(rank): RankTask<RankResult> {
    return rank.job.kind === 'train'
      ? yield* runTraining(rank as typeof rank & { job: TrainJob })
      : yield* runFit(rank as typeof rank & { job: FitJob }, findLearner)
  },
  *serve(rank): RankTask {
    if (rank.job.kind === 'train') yield* serveTraining(rank as typeof rank & { job: TrainJob })
  },
  onPeerLost: async (job, process, error) => {
    if (job.kind === 'train') saveFromMemory(job, process, error)
  },
}

async function findLearner(name: FitJob['learner']): Promise<StatisticLearner> {
  if ('id' in name) {
    const system = findSystem(name.id)
    if (system.kind !== 'statistic') throw new ConfigError(`fit: ${name.id} is no classical system — expected one with a learner`)
    return system.learner
  }
  if (sha256Of(name.path) !== name.sha256) {
    throw new ConfigError(
      `fit: the learner’s file on ${hostname()} is not the driver’s — expected ${name.path} with SHA-256 ${name.sha256.slice(0, 12)}… (copy it to this host)`,
      { path: name.path },
    )
  }
  const module = (await import(pathToFileURL(name.path).href)) as Readonly<Record<string, unknown>>
  const system = module[name.export]
  if (!isSystem(system) || system.kind !== 'statistic')
    throw new ConfigError(`fit: ${name.path} — expected a classical system as its export ${name.export}, got ${typeof system}`)
  return system.learner
}

/** Hash of a file, or undefined where it is not. */
function sha256Of(path: string): string | undefined {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex')
  } catch {
    return undefined
  }
}
