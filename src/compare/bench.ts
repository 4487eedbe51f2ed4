/**
 * Measuring ours against a peer: rounds of both are interleaved, so that a machine that slows down slows both, and what is reported is
 * the median of the ratios within a round, not the ratio of two medians taken at different times.
 *
 *   round 0   ours  peer
 *   round 1   peer  ours        the order alternates: neither side always finds the caches warm
 *   round 2   ours  peer        ratio = median over rounds of (peer / ours)
 * @packageDocumentation
 */
import { quantile } from './verdict/statistics.ts'

export { type PythonAnswer, PythonPeer, type PythonPeerOptions } from './python-peer.ts'

/** One case of a benchmark. `ratio` above 1 means that ours is better, whichever way the unit goes. */
export interface BenchRow {
  readonly case: string
  /** What `ours` and `peer` are measured in: `ms`, `samples/s`. */
  readonly unit: string
  readonly ours: number
  /** null when the peer is missing; `note` says how to install it. */
  readonly peer: number | null
  readonly peerName: string
  readonly ratio: number | null
  /** Half the distance between the quartiles of the rounds' ratios (of our times, without a peer), as a share of their median. */
  readonly spread: number
  readonly note?: string
}

/** What a benchmark's `run` is given. */
export interface BenchContext {
  /** Rounds per case: `--rounds`, or the benchmark's own choice where this is undefined. */
  readonly rounds?: number
  /** Fewer iterations, for a first look and for tests: figures are not for reporting. */
  readonly quick: boolean
  readonly signal: AbortSignal
  /** Folder of the benchmark, where `peers/` lies. */
  readonly dir: string
  /** Says what is being measured, on standard error. */
  log(line: string): void
}

/** What `benchmarks/<name>/main.ts` exports. */
export interface Benchmark {
  /** An `async function*` that yields each row when it has it loses none of them when it is stopped or fails; or all rows at the end. */
  run(context: BenchContext): AsyncIterable<BenchRow> | Promise<readonly BenchRow[]>
  /** Threads that each side uses, for the head: `1 each`. */
  readonly threads?: string
  /** Versions of the peers, asked for after the run. */
  versions?(): Readonly<Record<string, string>>
}

/** What `tutti bench NAME --json` prints. */
export interface BenchReport {
  readonly name: string
  readonly threads: string
  readonly machine: { readonly cpu: string; readonly cores: number; readonly simd: readonly string[]; readonly platform: string }
  /** Of Node, this package, ONNX Runtime, and what the peers say of themselves. */
  readonly versions: Readonly<Record<string, string>>
  /** Load average over one minute before the first round, as a share of the cores: above 0.3 the figures are noisy. */
  readonly load: number
  readonly rows: readonly BenchRow[]
}

/** One timed round: the measured value, in any unit. */
export type Round = () => number | Promise<number>

/** What {@link interleave} found: medians of both sides, the median of the paired ratios and its spread. */
export interface Interleaved {
  readonly ours: number
  readonly peer: number | null
  readonly ratio: number | null
  readonly spread: number
}

/**
 * Runs both sides in turn, after one discarded round each.
 * @param rounds - at least 3, so that a median means something
 * @param better - `lower` for times (ratio = peer / ours), `higher` for rates (ratio = ours / peer)
 * @param peer - undefined where it is missing: ours is still measured
 */
export async function interleave(
  ours: Round,
  peer: Round | undefined,
  rounds: number,
  better: 'lower' | 'higher' = 'lower',
): Promise<Interleaved> {
  if (!Number.isInteger(rounds) || rounds < 3) throw new RangeError(`bench: expected at least 3 rounds, got ${rounds}`)
  await ours()
  await peer?.()
  const ourValues: number[] = []
  const peerValues: number[] = []
  for (let round = 0; round < rounds; round++) {
    const oursFirst = round % 2 === 0
    if (oursFirst) ourValues.push(await ours())
    if (peer !== undefined) peerValues.push(await peer())
    if (!oursFirst) ourValues.push(await ours())
  }
  if (peer === undefined) return { ours: quantile(ourValues, 0.5), peer: null, ratio: null, spread: relativeSpread(ourValues) }
  const ratios = ourValues.map((value, i) => (better === 'lower' ? peerValues[i]! / value : value / peerValues[i]!))
  return { ours: quantile(ourValues, 0.5), peer: quantile(peerValues, 0.5), ratio: quantile(ratios, 0.5), spread: relativeSpread(ratios) }
}

/** Half the distance between the quartiles, as a share of the median. */
export function relativeSpread(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / quantile(values, 0.5)
}

/** Seconds per iteration of `iterations` calls. */
export async function timePerIteration(iterations: number, once: () => unknown): Promise<number> {
  const started = performance.now()
  for (let i = 0; i < iterations; i++) await once()
  return (performance.now() - started) / 1000 / iterations
}
