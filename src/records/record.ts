/**
 * A run is a record: `runs/<id>/` holds config.json, metrics.jsonl, traffic.json, ranks.json, trace.json, model.onnx and checkpoint/.
 * Reports, claims and calibration read records and nothing else. All times are seconds, all sizes bytes.
 * @packageDocumentation
 */
import type { ErrorJSON } from '../errors.ts'
import type { LinkTraffic } from '../fabric/communicator.ts'
import type { FabricName } from '../fabric/launch.ts'

/** Form of the files; readers refuse another major. */
export const recordVersion = 1

/** What was run: workload × system × fabric × ranks × seed, every option at its effective value. */
export interface RunConfig {
  readonly recordVersion: number
  readonly id: string
  readonly system: string
  /** `lenet-5/mnist`, `kmeans/mnist`, or `model/data` of the user's own. */
  readonly workload: string
  readonly fabric: FabricName
  /** How it is spread: solo (1 rank), parallel (threads), distributed (processes), hybrid, virtual. */
  readonly paradigm: 'solo' | 'parallel' | 'distributed' | 'hybrid' | 'virtual'
  readonly workers: number
  /** Processes × rank threads in each. */
  readonly processes: number
  readonly threadsPerProcess: number
  readonly hosts: readonly string[]
  readonly seed: number
  readonly rows: number
  readonly globalBatchSize?: number
  readonly systemOptions: Readonly<Record<string, unknown>>
  /** Everything else, by the library's option names (optimizer, until, schedule, …). */
  readonly options: Readonly<Record<string, unknown>>
  readonly programHash: string
  readonly dataHash: string
  /** Name of the metric that decides (`accuracy`, `inertia`, `relativeError`, `rmse`) and which way is better. */
  readonly metric: { readonly name: string; readonly better: 'higher' | 'lower' }
  readonly preflight: Preflight
  readonly machine: MachineInfo
  readonly startedAt: string
  readonly version: string
}

/** What is known before the start; the CLI prints it as one line. */
export interface Preflight {
  readonly ranks: number
  readonly threads: number
  readonly memoryBytes: number
  readonly freeBytes: number
  readonly bytesPerStep: number
  readonly steps: number
  /** Expected time on the train clock, where it could be estimated. */
  readonly expectedSeconds?: number
}

export interface MachineInfo {
  readonly cpu: string
  readonly cores: number
  readonly simd: readonly string[]
  readonly memoryBytes: number
  readonly platform: string
  readonly versions: Readonly<Record<string, string>>
}

/** One line of metrics.jsonl. `time` is the train clock: from the barrier after launch, build, data and warm-up, evaluation excluded. */
export type MetricRow =
  | {
      readonly kind: 'step'
      readonly step: number
      readonly epoch: number
      readonly samples: number
      readonly time: number
      readonly loss: number
      readonly learningRate?: number
    }
  | {
      readonly kind: 'evaluation'
      readonly split: 'test' | 'validation' | 'train'
      readonly step: number
      readonly epoch: number
      readonly samples: number
      readonly time: number
      readonly loss?: number
      readonly metric: number
    }

/** What one rank spent; `compute + communicate + wait` ≤ `train` (the rest is the executor itself and evaluation). */
export interface RankRecord {
  readonly rank: number
  readonly host: string
  readonly pid: number
  readonly steps: number
  readonly trainSeconds: number
  readonly computeSeconds: number
  /** Moving or reducing bytes, without waiting for others. */
  readonly communicateSeconds: number
  /** Waiting for other ranks. */
  readonly waitSeconds: number
  /** Evaluation, checkpoints and everything else that is off the train clock. */
  readonly otherSeconds: number
  readonly cpuSeconds: number
  readonly peakRssBytes: number
  /** Histogram of the staleness (in updates) of the parameters that each gradient was computed on. */
  readonly staleness?: Readonly<Record<number, number>>
  /** Per sampled step: [step, compute, communicate, wait] in seconds, for the check T_step = max(T_rank). */
  readonly stepTimes: readonly (readonly [number, number, number, number])[]
  readonly error?: ErrorJSON
}

/** traffic.json: summed over all ranks. */
export interface TrafficRecord {
  readonly links: readonly LinkTraffic[]
  readonly phases: Readonly<Record<string, { rounds: number; waitSeconds: number; operations: number }>>
}

/** Chrome trace event (complete events only, microseconds on the train clock; pid = host index, tid = rank). */
export interface TraceEvent {
  readonly name: string
  readonly cat: 'compute' | 'communicate' | 'wait' | 'other'
  readonly ph: 'X'
  readonly ts: number
  readonly dur: number
  readonly pid: number
  readonly tid: number
  readonly args?: { readonly step: number }
}

/** How a run ended. */
export interface RunSummary {
  readonly status: 'done' | 'failed' | 'interrupted'
  readonly error?: ErrorJSON
  readonly steps: number
  /** Step that a resumed run went on from: times, bytes and traces of ranks are of the steps after it; metrics and `trainSeconds` of all. */
  readonly resumedAt?: number
  readonly epochs: number
  /** Train clock and total clock (from the command). */
  readonly trainSeconds: number
  readonly totalSeconds: number
  readonly samplesPerSecond: number
  readonly cpuSeconds: number
  readonly peakRssBytes: number
  readonly finalMetric?: number
  readonly finalLoss?: number
  /** Where `--resume` goes on. */
  readonly checkpoint?: string
}

/** A whole record, as `readRun` gives it. */
export interface RunRecord {
  readonly config: RunConfig
  readonly summary: RunSummary
  readonly metrics: readonly MetricRow[]
  readonly ranks: readonly RankRecord[]
  readonly traffic: TrafficRecord
  readonly trace: readonly TraceEvent[]
}
