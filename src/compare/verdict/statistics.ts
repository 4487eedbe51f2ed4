/**
 * Spread and separation of a few repeats. A ratio counts as a difference when its 95 % bootstrap interval lies outside the band in
 * which two groups of the same runs would fall; it is a tie when the interval lies inside [0.9, 1.11]; otherwise it is unclear.
 * One run has no spread: then only a large difference counts.
 * @packageDocumentation
 */

/** One repeat: runs of two configurations are paired by seed. */
export interface Sample {
  readonly seed: number
  readonly value: number
}

/** Median and quartiles of the repeats. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
  readonly runs: number
}

/** Band around 1 in which two groups of the same configuration may fall. */
export const equalBand = 1.05
/** An interval inside [1 / tieBand, tieBand] is a tie. */
export const tieBand = 1 / 0.9
/** What a ratio must exceed to count when a configuration ran only once. */
export const singleRunBand = 1.2

/** How `a` compares with `b`: the ratio a / b of their geometric means and what it allows to say. */
export interface RatioTest {
  readonly ratio: number
  readonly low: number
  readonly high: number
  /** Repeats of the smaller group. */
  readonly runs: number
  readonly outcome: 'larger' | 'smaller' | 'tie' | 'unclear'
}

/** Linear-interpolation quantile of unsorted values, `NaN` without any. */
export function quantile(values: readonly number[], q: number): number {
  return ofSorted(Float64Array.from(values).sort(), q)
}

function ofSorted(sorted: Float64Array, q: number): number {
  if (sorted.length === 0) return Number.NaN
  const position = (sorted.length - 1) * q
  const below = Math.floor(position)
  const low = sorted[below] as number
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number
  return low === high ? low : low + (high - low) * (position - below)
}

/** Middle value; `NaN` without any. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Median and quartiles, undefined without values. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const finite = values.filter(Number.isFinite)
  if (finite.length === 0) return undefined
  return { median: median(finite), low: quantile(finite, 0.25), high: quantile(finite, 0.75), runs: finite.length }
}

/** Mean, 0 without values. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

/**
 * Tests whether positive values of `a` are larger or smaller than those of `b`, paired by seed where both ran the same seeds once.
 * Deterministic: resamples are enumerated while they are few and drawn from a fixed sequence otherwise.
 * @param singleBand - What the ratio must exceed when a group has one run (default {@link singleRunBand}). For quantities that hardly
 *   vary between repeats it is {@link equalBand}, and what lies inside is then a tie.
 */
export function compareRatio(a: readonly Sample[], b: readonly Sample[], singleBand: number = singleRunBand): RatioTest {
  const runs = Math.min(a.length, b.length)
  if (runs === 0) return { ratio: Number.NaN, low: Number.NaN, high: Number.NaN, runs, outcome: 'unclear' }
  const logsA = a.map((sample) => Math.log(sample.value))
  const logsB = b.map((sample) => Math.log(sample.value))
  const ratio = Math.exp(mean(logsA) - mean(logsB))
  if (runs === 1) {
    const inside = singleBand <= equalBand ? 'tie' : 'unclear'
    const outcome = ratio > singleBand ? 'larger' : ratio < 1 / singleBand ? 'smaller' : inside
    return { ratio, low: ratio, high: ratio, runs, outcome }
  }
  const pairs = pairedLogs(a, b)
  const draws = pairs ? bootstrapMeans(pairs, 1) : difference(bootstrapMeans(logsA, 1), bootstrapMeans(logsB, 2))
  const sorted = Float64Array.from(draws).sort()
  const low = Math.exp(ofSorted(sorted, 0.025))
  const high = Math.exp(ofSorted(sorted, 0.975))
  const outcome = low > equalBand ? 'larger' : high < 1 / equalBand ? 'smaller' : low >= 1 / tieBand && high <= tieBand ? 'tie' : 'unclear'
  return { ratio, low, high, runs, outcome }
}

/** Log ratios by seed, or undefined when the seeds differ or repeat. */
function pairedLogs(a: readonly Sample[], b: readonly Sample[]): number[] | undefined {
  const bySeed = new Map(b.map((sample) => [sample.seed, sample.value]))
  if (a.length !== b.length || bySeed.size !== b.length || new Set(a.map((sample) => sample.seed)).size !== a.length) return undefined
  if (!a.every((sample) => bySeed.has(sample.seed))) return undefined
  return a.map((sample) => Math.log(sample.value / (bySeed.get(sample.seed) as number)))
}

const numDraws = 4096

/** Means of resamples with replacement: all n^n of them up to n = 5, 4,096 drawn ones beyond. */
function bootstrapMeans(values: readonly number[], stream: number): number[] {
  const n = values.length
  const total = n ** n
  if (n <= 5) {
    return Array.from({ length: total }, (_, code) => {
      let rest = code
      let sum = 0
      for (let i = 0; i < n; i++) {
        sum += values[rest % n] as number
        rest = Math.floor(rest / n)
      }
      return sum / n
    })
  }
  const next = sequence(stream)
  return Array.from({ length: numDraws }, () => {
    let sum = 0
    for (let i = 0; i < n; i++) sum += values[Math.floor(next() * n)] as number
    return sum / n
  })
}

/** Differences of two lists of resampled means: every pair while few, drawn pairs otherwise. */
function difference(a: readonly number[], b: readonly number[]): number[] {
  if (a.length * b.length <= 1e4) return a.flatMap((x) => b.map((y) => x - y))
  const next = sequence(3)
  return Array.from({ length: numDraws }, () => (a[Math.floor(next() * a.length)] as number) - (b[Math.floor(next() * b.length)] as number))
}

/** Fixed sequence of numbers in [0, 1): a Weyl sequence through a 32-bit mixer, the same in every report. */
function sequence(stream: number): () => number {
  let state = Math.imul(stream, 0x9e3779b1) >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let x = state ^ (state >>> 16)
    x = Math.imul(x, 0x21f0aaad)
    x ^= x >>> 15
    x = Math.imul(x, 0x735a2d97)
    x ^= x >>> 15
    return (x >>> 0) / 2 ** 32
  }
}
