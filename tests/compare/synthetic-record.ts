/**
 * Run records as a machine of known speed would write them: a step costs `stepSeconds` of computing, shared by the workers, and a
 * message time that depends on the fabric. Everything follows from the options and the seed.
 */
import type { ErrorJSON } from '../../src/errors.ts'
import type { FabricName } from '../../src/fabric/launch.ts'
import {
  type MetricRow,
  type RankRecord,
  type RunConfig,
  type RunRecord,
  type TraceEvent,
  recordVersion,
} from '../../src/records/record.ts'

export interface SyntheticOptions {
  readonly id?: string
  readonly system?: string
  readonly workload?: string
  readonly paradigm?: RunConfig['paradigm']
  readonly processes?: number
  readonly threadsPerProcess?: number
  readonly seed?: number
  readonly rows?: number
  readonly epochs?: number
  readonly globalBatchSize?: number
  /** Computing of one step on one rank alone, seconds. */
  readonly stepSeconds?: number
  /** Moving the gradients of one step, seconds (default: by fabric). */
  readonly communicateSeconds?: number
  readonly gradientBytes?: number
  readonly startupSeconds?: number
  readonly metric?: RunConfig['metric']
  /** Final metric and the one it starts from. */
  readonly finalMetric?: number
  readonly firstMetric?: number
  readonly evaluations?: number
  readonly cores?: number
  readonly status?: RunRecord['summary']['status']
  readonly error?: ErrorJSON
  readonly checkpoint?: string
  readonly asynchronous?: boolean
  readonly options?: Readonly<Record<string, unknown>>
  readonly systemOptions?: Readonly<Record<string, unknown>>
  readonly versions?: Readonly<Record<string, string>>
  /** Relative noise of times (default 0.01). */
  readonly noise?: number
}

const fabrics = {
  solo: 'threads',
  parallel: 'threads',
  distributed: 'mpi',
  hybrid: 'hybrid',
  virtual: 'virtual',
} as const satisfies Record<RunConfig['paradigm'], FabricName>
const spread = { solo: [1, 1], parallel: [1, 2], distributed: [2, 1], hybrid: [2, 2], virtual: [1, 4] } as const

/** Deterministic noise in [-1, 1]. */
function wobble(seed: number, i: number): number {
  const x = Math.sin(seed * 12.9898 + i * 78.233) * 43758.5453
  return 2 * (x - Math.floor(x)) - 1
}

export function syntheticRecord(given: SyntheticOptions = {}): RunRecord {
  const paradigm = given.paradigm ?? 'solo'
  const [processes, threadsPerProcess] = [given.processes ?? spread[paradigm][0], given.threadsPerProcess ?? spread[paradigm][1]]
  const workers = processes * threadsPerProcess
  const fabric = fabrics[paradigm]
  const system = given.system ?? (paradigm === 'solo' ? 'solo' : 'bsp')
  const workload = given.workload ?? 'lenet-5/mnist'
  const { seed = 1, rows = 60_000, epochs = 3, globalBatchSize = 128, stepSeconds = 0.0189, gradientBytes = 246_824, noise = 0.01 } = given
  const metric = given.metric ?? { name: 'accuracy', better: 'higher' as const }
  const planned = Math.floor(rows / globalBatchSize) * epochs
  const status = given.status ?? 'done'
  const steps = status === 'done' ? planned : Math.round(planned * 0.4)
  const communicate =
    workers === 1 ? 0 : (given.communicateSeconds ?? { threads: 0.00012, mpi: 0.00034, hybrid: 0.0004, virtual: 0.0001 }[fabric])
  const jitter = 1 + noise * wobble(seed + workers, 7)
  const oversubscription = Math.max(1, workers / (given.cores ?? 2))
  const ownSeconds = (stepSeconds / workers) * jitter * oversubscription
  const stepTimes = Array.from({ length: workers }, (_, rank) =>
    Array.from({ length: Math.min(steps, 64) }, (_, i) => {
      const compute = ownSeconds * (1 + 0.06 * wobble(seed + rank * 31, i))
      return [i * Math.max(1, Math.floor(steps / 64)), compute, communicate * (1 + 0.1 * wobble(seed + rank, i + 99))] as const
    }),
  )
  const slowest = Array.from({ length: Math.min(steps, 64) }, (_, i) => Math.max(...stepTimes.map((times) => sum(times[i]))))
  const meanStep = (slowest.reduce((a, b) => a + b, 0) / Math.max(1, slowest.length)) * 1.012
  const trainSeconds = meanStep * steps
  const startup = given.startupSeconds ?? { threads: 0.6, mpi: 1.4, hybrid: 1.7, virtual: 0.3 }[fabric]
  const peak = (threads: number) => 2.1e8 + threads * 4.2e7
  const ranks = stepTimes.map((times, rank): RankRecord => {
    const rank0 = times.map((time, i): [number, number, number, number] => [
      time[0],
      time[1],
      time[2],
      given.asynchronous ? 0 : (slowest[i] as number) - time[1] - time[2],
    ])
    const total = (k: 1 | 2 | 3) => (rank0.reduce((a, time) => a + time[k], 0) / Math.max(1, rank0.length)) * steps
    return {
      rank,
      host: 'localhost',
      pid: 4000 + Math.floor(rank / threadsPerProcess),
      steps,
      trainSeconds,
      computeSeconds: total(1),
      communicateSeconds: total(2),
      waitSeconds: total(3),
      otherSeconds: 0.4,
      cpuSeconds: total(1) + total(2) + 0.5,
      peakRssBytes: peak(threadsPerProcess),
      ...(given.asynchronous ? { staleness: { 0: steps / 2, 1: steps / 3, 2: steps / 6 } } : {}),
      stepTimes: rank0,
    }
  })
  const final = (given.finalMetric ?? 0.985) * (1 + 0.0006 * wobble(seed, 3))
  const metrics = curve({ ...given, final, metric, trainSeconds, steps, epochs, rows, evaluations: given.evaluations ?? epochs })
  const cpuSeconds = ranks.reduce((a, rank) => a + rank.cpuSeconds, 0)
  return {
    config: {
      recordVersion,
      id: given.id ?? [workload, rows, system, fabric, processes, threadsPerProcess, seed].join('-').replace(/\//g, '-'),
      system,
      workload,
      fabric,
      paradigm,
      workers,
      processes,
      threadsPerProcess,
      hosts: [],
      seed,
      rows,
      globalBatchSize,
      systemOptions: given.systemOptions ?? {},
      options: { until: { epochs }, ...given.options },
      programHash: 'p'.repeat(64),
      dataHash: 'd'.repeat(64),
      metric,
      preflight: { ranks: workers, threads: workers, memoryBytes: 3e8, freeBytes: 6e9, bytesPerStep: gradientBytes, steps: planned },
      machine: {
        cpu: 'Intel(R) Xeon(R) Processor @ 2.80GHz',
        cores: given.cores ?? 2,
        simd: ['avx2', 'avx512f'],
        memoryBytes: 8.2e9,
        platform: 'linux x64',
        versions: given.versions ?? { node: '20.20.2', onnxruntime: '1.30.0', openmpi: '4.1.4', onednn: '2.7.3' },
      },
      startedAt: `2026-03-14T09:${String(10 + (seed % 40)).padStart(2, '0')}:00.000Z`,
      version: '0.1.0',
    },
    summary: {
      status,
      ...(given.error ? { error: given.error } : {}),
      steps,
      epochs: (epochs * steps) / Math.max(1, planned),
      trainSeconds,
      totalSeconds: trainSeconds + startup + 0.8,
      samplesPerSecond: globalBatchSize / meanStep,
      cpuSeconds,
      peakRssBytes: peak(threadsPerProcess) * processes,
      ...(status === 'done' ? { finalMetric: final } : {}),
      ...(given.checkpoint === undefined ? {} : { checkpoint: given.checkpoint }),
    },
    metrics,
    ranks,
    traffic: trafficOf(workers, steps, gradientBytes, communicate),
    trace: traceOf(ranks),
  }
}

function sum(time: readonly [number, number, number] | undefined): number {
  return time ? time[1] + time[2] : 0
}

interface CurveOptions extends SyntheticOptions {
  readonly final: number
  readonly metric: RunConfig['metric']
  readonly trainSeconds: number
  readonly steps: number
  readonly epochs: number
  readonly rows: number
  readonly evaluations: number
}

function curve(given: CurveOptions): MetricRow[] {
  const first = given.firstMetric ?? (given.metric.better === 'higher' ? given.final * 0.93 : given.final * 1.6)
  const { evaluations, trainSeconds, steps, epochs, rows } = given
  const ended = given.status === undefined || given.status === 'done' ? 1 : 0.4
  return Array.from({ length: Math.floor(evaluations * ended) }, (_, i) => {
    const part = (i + 1) / evaluations
    const metric = evaluations === 1 ? given.final : given.final + (first - given.final) * (Math.exp(-4 * part) - Math.exp(-4)) * 1.9
    const at = {
      step: Math.round((steps * part) / ended),
      epoch: epochs * part,
      samples: rows * epochs * part,
      time: (trainSeconds * part) / ended,
    }
    return { kind: 'evaluation', split: 'test', ...at, metric }
  })
}

/** A ring all-reduce: every rank sends 2 (p − 1) / p of the gradients to the next one, in 2 (p − 1) rounds. */
function trafficOf(workers: number, steps: number, bytes: number, seconds: number): RunRecord['traffic'] {
  if (workers === 1) return { links: [], phases: {} }
  const rounds = 2 * (workers - 1)
  const links = Array.from({ length: workers }, (_, from) => {
    const to = (from + 1) % workers
    return [
      { from, to, phase: 'allReduce', bytes: Math.round(((bytes * rounds) / workers) * steps), messages: rounds * steps },
      { from, to, phase: 'broadcast', bytes, messages: 1 },
    ]
  }).flat()
  return {
    links,
    phases: {
      allReduce: { rounds: rounds * steps * workers, waitSeconds: seconds * steps * workers, operations: steps * workers },
      broadcast: { rounds: workers, waitSeconds: 0.001, operations: workers },
    },
  }
}

function traceOf(ranks: readonly RankRecord[]): TraceEvent[] {
  return ranks.flatMap(({ rank, stepTimes }) => {
    let clock = 0.5e6
    return stepTimes.slice(0, 5).flatMap(([, compute, communicate, wait]) => {
      const parts = [
        ['forwardBackward', 'compute', compute * 0.9],
        ['allReduce wait', 'wait', wait],
        ['allReduce', 'communicate', communicate],
        ['update', 'compute', compute * 0.1],
      ] as const
      return parts.flatMap(([name, cat, seconds]): TraceEvent[] => {
        const ts = clock
        clock += seconds * 1e6
        return seconds > 0 ? [{ name, cat, ph: 'X', ts, dur: seconds * 1e6, pid: 0, tid: rank }] : []
      })
    })
  })
}
