import { availableParallelism } from 'node:os'
import type { Dataset } from '../data/dataset.ts'
import { requireFinite } from '../data/require-finite.ts'
import { ConfigError } from '../errors.ts'
import type { NumericArray } from '../memory/dtype.ts'
import type { RunRecord } from '../records/record.ts'
import { packageVersion } from '../records/versions.ts'
import type { AnySystem } from '../systems/define.ts'
import { resolveOptions } from '../systems/define.ts'
import { findSystem } from '../systems/index.ts'
import { referenceTo } from '../train/data-reference.ts'
import type { FitJob } from '../train/job.ts'
import { programHash } from '../train/program.ts'
import type { NamedTensor } from '../train/safetensors.ts'
import { buildProgram } from './build-program.ts'
import { expectedSeconds } from './expected-time.ts'
import { requireOptions } from '../option-checks.ts'
import { fitOptions } from './known-options.ts'
import { checkpointSpec } from './checkpoint-spec.ts'
import { learnerReference } from './learner-reference.ts'
import { type Described, runJob } from './run-job.ts'
import type { RunOptions, SpreadOptions } from './spec.ts'
import { spreadOf } from './spread.ts'

/** What a classical system is fitted to, and how. */
export interface FitSpec extends SpreadOptions {
  readonly system: string | AnySystem
  readonly data: Dataset
  /** Most learning steps (default 300). */
  readonly maxSteps?: number
  /** Plain data for the learner beside its system's options (initial centres). */
  readonly extra?: Readonly<Record<string, unknown>>
  /** Seconds between two periodic checkpoints (default 60). */
  readonly checkpointEverySeconds?: number
}

/** A finished fit: its record, and what was learned. */
export interface FitRun extends RunRecord {
  /** Learned arrays by name. */
  readonly state: Readonly<Record<string, NamedTensor>>
  /** One value a row, in the order of the rows (labels). */
  readonly ofRows: Readonly<Record<string, Int32Array>>
  readonly dir?: string
}

/** Rows a second that a rank adds to a statistic of `width` columns on `virtual`: its clock, not a claim. */
const virtualElementsPerSecond = 1e9

/** Floating-point operations that a statistic takes of an element of its rows, roughly. */
const flopsPerElement = 20

/** Everything of a fit that is decided before ranks start. */
export interface FitPlan {
  readonly job: FitJob
  readonly described: Described
}

/** Checks a spec and builds the job. @throws {ConfigError} with one line for everything that cannot be. */
export async function planFit(spec: FitSpec, options: RunOptions = {}): Promise<FitPlan> {
  requireOptions('fit', spec, fitOptions)
  const system = typeof spec.system === 'object' ? spec.system : findSystem(spec.system)
  if (system.kind !== 'statistic') throw new ConfigError(`fit: ${system.id} trains networks — expected a classical system (use train)`)
  const spread = spreadOf(spec, system)
  const { data } = spec
  requireFinite(data)
  if (data.rows < spread.workers)
    throw new ConfigError(`fit: ${data.name} has ${data.rows} rows for ${spread.workers} workers — expected at least one each`)
  const systemOptions = resolveOptions(system, spec.systemOptions ?? {})
  const maxSteps = spec.maxSteps ?? 300
  if (!Number.isInteger(maxSteps) || maxSteps < 1) throw new ConfigError(`fit: maxSteps — expected a whole number ≥ 1, got ${maxSteps}`)
  const context = { worldSize: spread.workers, maxSteps, reproducible: spec.reproducible ?? false }
  const program = buildProgram(system, context, systemOptions)
  const width = data.features.values.length / data.rows
  const learnerOptions = { ...systemOptions, ...spec.extra }
  const shape = { rows: data.rows, width, worldSize: spread.workers, options: learnerOptions }
  const job: FitJob = {
    kind: 'fit',
    version: packageVersion(),
    seed: spec.seed ?? 1,
    data: referenceTo(data, spread.fabric === 'threads'),
    program,
    programHash: programHash(program),
    virtualSecondsPerRow: width / virtualElementsPerSecond,
    learner: await learnerReference(system),
    options: learnerOptions,
    maxSteps,
    ...checkpointSpec(spec),
  }
  const length = system.learner.statisticLength(shape)
  const p = spread.workers
  return {
    job,
    described: {
      system: system.id,
      workload: options.workload ?? `${system.id}/${data.name}`,
      systemOptions,
      spread,
      rows: data.rows,
      samplesPerStep: data.rows,
      metric: system.learner.metric,
      steps: maxSteps,
      expectedSeconds: expectedSeconds(maxSteps, flopsPerElement * data.rows * width, spread, availableParallelism()),
      bytesPerStep: (2 * 8 * length * (p - 1)) / p,
      memoryBytes: data.features.values.byteLength * spread.processes + 16 * length * p,
      options: { maxSteps, ...(spec.network ? { network: spec.network } : {}), ...(spec.faults ? { faults: spec.faults } : {}) },
    },
  }
}

/** Runs a classical system: estimators call it, and the command line does for workloads. @throws as `train`. */
export async function fit(spec: FitSpec, options: RunOptions = {}): Promise<FitRun> {
  const { job, described } = await planFit(spec, options)
  const { record, results } = await runJob(job, described, spec, options)
  const names = Object.keys(results[0]?.ofRows ?? {})
  const ofRows = Object.fromEntries(
    names.map((name) => [name, joined(results.map((result) => result?.ofRows?.[name] ?? new Int32Array(0)))]),
  )
  return { ...record, state: results[0]?.state ?? {}, ofRows, ...(spec.out === undefined ? {} : { dir: spec.out }) }
}

function joined(parts: readonly Int32Array[]): Int32Array {
  const whole = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Values of a learned array. */
export function stateArray(run: FitRun, name: string): NumericArray {
  const tensor = run.state[name]
  if (tensor === undefined)
    throw new ConfigError(`fit: ${run.config.system} learned no ${name} — it has ${Object.keys(run.state).join(', ')}`)
  return tensor.values
}
