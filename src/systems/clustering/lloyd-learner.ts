import type { RowSurvey } from '../../kernels/kernels.ts'
import { lloydScratchBytes, surveyBytes } from '../../kernels/scratch.ts'
import { u } from '../../rng.ts'
import type { Learner, LearnerContext, Stage, StatisticLearner } from '../../train/statistic.ts'

type F32 = Float32Array<ArrayBuffer>
type F64 = Float64Array<ArrayBuffer>
type I32 = Int32Array<ArrayBuffer>

/** Arrays of one rank in the data segment. */
interface LloydMemory {
  readonly centers: F32
  readonly sums: F64
  readonly counts: F64
  readonly labels: I32
  /** Squared distance of each own row to the nearest centre so far (k-means++). */
  readonly distances: F64
  readonly survey: Uint8Array<ArrayBuffer>
  readonly scratch: Uint8Array<ArrayBuffer>
}

/** Stream of the draws of k-means++ (suite, section 1.1). */
const seedingStream = 5

/**
 * What the next exchange is for. A centre that must be a data row takes two: ranks tell their mass (or farthest distance), then the rank that owns the
 * chosen row contributes it and the others zeros, so that one sum serves all.
 */
type Phase =
  | { readonly kind: 'variance' }
  | { readonly kind: 'mass'; readonly center: number }
  | { readonly kind: 'row'; readonly center: number; readonly row: number; readonly owner: number; readonly then: 'mass' | 'lloyd' }
  | { readonly kind: 'farthest'; readonly center: number }
  | { readonly kind: 'lloyd' }

/** Lloyd's step on one rank: statistic = k·d sums, k counts, inertia, changed labels. */
class Lloyd implements Learner {
  readonly #c: LearnerContext<LloydMemory>
  readonly #k: number
  readonly #d: number
  readonly #tol: number
  readonly #previous: Int32Array
  #phase: Phase
  #shiftLimit = 0
  #farthestRow = -1
  #survey: RowSurvey | undefined
  score = Number.NaN
  readonly state: Learner['state']
  readonly ofRows: { readonly labels: Int32Array }

  constructor(context: LearnerContext<LloydMemory>) {
    this.#c = context
    this.#d = context.width
    this.#k = context.options.k as number
    this.#tol = context.options.tol as number
    const { memory, range } = context
    this.#previous = new Int32Array(range.end - range.start).fill(-1)
    this.state = { centers: { shape: [this.#k, this.#d], values: memory.centers } }
    this.ofRows = { labels: memory.labels.subarray(range.start, range.end) }
    memory.distances.fill(Number.POSITIVE_INFINITY)
    const given = context.options.initialCenters as ArrayLike<number> | undefined
    if (given !== undefined) memory.centers.set(given)
    this.#phase = this.#tol > 0 ? { kind: 'variance' } : given !== undefined ? { kind: 'lloyd' } : this.#firstRow()
  }

  localStat(stage: Stage): void {
    const { statistic, kernels, data, range, memory, rank } = this.#c
    statistic.fill(0)
    if (stage === 'setup' && this.#phase.kind === 'lloyd') return
    switch (this.#phase.kind) {
      case 'variance':
        this.#moments()
        break
      case 'mass':
        statistic[rank] = this.#updateDistances(this.#phase.center - 1)
        break
      case 'farthest':
        statistic[rank] = this.#findFarthest()
        break
      case 'row':
        if (rank === this.#phase.owner) {
          const row = this.#phase.row >= 0 ? this.#phase.row : this.#drawOwnRow()
          for (let j = 0; j < this.#d; j++) statistic[j] = (data.features[row * this.#d + j] as number) * data.scale
        }
        break
      case 'lloyd': {
        memory.sums.fill(0)
        memory.counts.fill(0)
        this.#survey ??= kernels.survey(data.features as F32, range.start, range.end, this.#d, memory.survey)
        const inertia = kernels.lloyd(
          data.features as F32,
          data.scale,
          this.#survey,
          memory.centers,
          this.#k,
          memory.sums,
          memory.counts,
          memory.labels,
          memory.scratch,
        )
        statistic.set(memory.sums)
        statistic.set(memory.counts, this.#k * this.#d)
        statistic[this.#k * (this.#d + 1)] = inertia
        statistic[this.#k * (this.#d + 1) + 1] = this.#countChanged()
      }
    }
  }

  nextState(stage: Stage): boolean {
    const { statistic } = this.#c
    const phase = this.#phase
    if (stage === 'setup' && phase.kind === 'lloyd') return false
    if (phase.kind === 'lloyd') {
      this.score = statistic[this.#k * (this.#d + 1)] as number
      return stage === 'drain' ? true : this.#moveCenters()
    }
    this.#phase = this.#afterSeeding(phase)
    return false
  }

  restore(state: Learner['state']): void {
    this.#c.memory.centers.set(state.centers?.values as F32)
    if (this.#phase.kind !== 'variance') this.#phase = { kind: 'lloyd' }
  }

  #afterSeeding(phase: Exclude<Phase, { kind: 'lloyd' }>): Phase {
    const { statistic, memory, options } = this.#c
    switch (phase.kind) {
      case 'variance': {
        let variance = 0
        const n = statistic[2 * this.#d] as number
        for (let j = 0; j < this.#d; j++) variance += (statistic[this.#d + j] as number) / n - ((statistic[j] as number) / n) ** 2
        this.#shiftLimit = (this.#tol * variance) / this.#d
        return options.initialCenters === undefined ? this.#firstRow() : { kind: 'lloyd' }
      }
      case 'mass':
        return { kind: 'row', center: phase.center, row: -1, owner: this.#drawOwner(phase.center), then: 'mass' }
      case 'farthest': {
        let owner = 0
        for (let r = 1; r < this.#c.worldSize; r++) if ((statistic[r] as number) > (statistic[owner] as number)) owner = r
        return { kind: 'row', center: phase.center, row: this.#farthestRow, owner, then: 'lloyd' }
      }
      case 'row':
        for (let j = 0; j < this.#d; j++) memory.centers[phase.center * this.#d + j] = statistic[j] as number
        return phase.then === 'lloyd' || phase.center + 1 === this.#k ? { kind: 'lloyd' } : { kind: 'mass', center: phase.center + 1 }
    }
  }

  /** The first centre is row ⌊n·u⌋. */
  #firstRow(): Phase {
    const row = Math.floor(this.#c.rows * u(this.#c.seed, seedingStream, 0, 0))
    return { kind: 'row', center: 0, row, owner: this.#ownerOf(row), then: 'mass' }
  }

  #ownerOf(row: number): number {
    const { rows, worldSize } = this.#c
    const base = Math.floor(rows / worldSize)
    const extra = rows % worldSize
    const cut = extra * (base + 1)
    return row < cut ? Math.floor(row / (base + 1)) : extra + Math.floor((row - cut) / base)
  }

  /** Where in the cumulated D² of all ranks the draw of this centre falls. */
  #target = 0
  #drawOwner(center: number): number {
    const { statistic, worldSize, seed } = this.#c
    let total = 0
    for (let r = 0; r < worldSize; r++) total += statistic[r] as number
    this.#target = total * u(seed, seedingStream, center, 0)
    for (let r = 0; r < worldSize - 1; r++) {
      if (this.#target < (statistic[r] as number)) return r
      this.#target -= statistic[r] as number
    }
    return worldSize - 1
  }

  #drawOwnRow(): number {
    const { range, memory } = this.#c
    let left = this.#target
    for (let row = range.start; row < range.end; row++) {
      left -= memory.distances[row - range.start] as number
      if (left < 0) return row
    }
    return range.end - 1
  }

  /** D² of own rows with the newest centre; returns their sum. */
  #updateDistances(center: number): number {
    const { kernels, data, range, memory } = this.#c
    const at = memory.centers.subarray(center * this.#d, (center + 1) * this.#d)
    return kernels.nearer(data.features as F32, data.scale, range.start, range.end, at, this.#d, memory.distances)
  }

  #findFarthest(): number {
    const { kernels, data, range, memory, labels } = { ...this.#c, labels: this.#c.memory.labels }
    memory.distances.fill(Number.POSITIVE_INFINITY)
    let farthest = -1
    for (let c = 0; c < this.#k; c++) {
      if ((memory.counts[c] as number) === 0) continue
      kernels.nearer(
        data.features as F32,
        data.scale,
        range.start,
        range.end,
        memory.centers.subarray(c * this.#d, (c + 1) * this.#d),
        this.#d,
        memory.distances,
      )
    }
    for (let row = range.start; row < range.end; row++) {
      const distance = memory.distances[row - range.start] as number
      if (labels[row] !== -1 && distance > farthest) {
        farthest = distance
        this.#farthestRow = row
      }
    }
    return farthest
  }

  /** Centres to the means; true when nothing moves any more. */
  #moveCenters(): boolean {
    const { statistic, memory } = this.#c
    let shift = 0
    for (let c = 0; c < this.#k; c++) {
      const count = statistic[this.#k * this.#d + c] as number
      if (count === 0) {
        this.#phase = { kind: 'farthest', center: c }
        continue
      }
      for (let j = 0; j < this.#d; j++) {
        const at = c * this.#d + j
        const mean = (statistic[at] as number) / count
        shift += (mean - (memory.centers[at] as number)) ** 2
        memory.centers[at] = mean
      }
    }
    if (this.#phase.kind === 'farthest') return false
    const changed = statistic[this.#k * (this.#d + 1) + 1] as number
    return (changed === 0 && this.#c.options.untilMaxSteps !== true) || (this.#tol > 0 && shift <= this.#shiftLimit)
  }

  #countChanged(): number {
    const { memory, range } = this.#c
    let changed = 0
    for (let row = range.start; row < range.end; row++) {
      const label = memory.labels[row] as number
      if (label !== this.#previous[row - range.start]) {
        this.#previous[row - range.start] = label
        changed++
      }
    }
    return changed
  }

  /** Σx, Σx² and the count of own rows, for the tolerance. */
  #moments(): void {
    const { statistic, data, range } = this.#c
    for (let row = range.start; row < range.end; row++) {
      for (let j = 0; j < this.#d; j++) {
        const value = (data.features[row * this.#d + j] as number) * data.scale
        statistic[j] = (statistic[j] as number) + value
        statistic[this.#d + j] = (statistic[this.#d + j] as number) + value * value
      }
    }
    statistic[2 * this.#d] = range.end - range.start
  }
}

/** Exchanges that seeding takes: the variance, the first row, and a mass and a row for each further centre. */
export function seedingSteps(k: number, tol: number, given: boolean): number {
  return (tol > 0 ? 1 : 0) + (given ? 0 : 1 + 2 * (k - 1))
}

/** Worker code of the k-means family: every member swaps the reducer, none this. */
export const lloydLearner: StatisticLearner<LloydMemory> = {
  metric: { name: 'inertia', better: 'lower' },
  statisticLength: ({ width, worldSize, options }) => Math.max((options.k as number) * (width + 1) + 2, worldSize, 2 * width + 1),
  layOut: ({ rows, width, worldSize, options }, allocate) => {
    const k = options.k as number
    return {
      centers: allocate('float32', k * width, 'centres'),
      sums: allocate('float64', k * width, 'sums'),
      counts: allocate('float64', k, 'counts'),
      labels: allocate('int32', rows, 'labels'),
      distances: allocate('float64', Math.ceil(rows / worldSize), 'distances'),
      survey: allocate('uint8', surveyBytes(Math.ceil(rows / worldSize), width), 'row survey'),
      scratch: allocate('uint8', lloydScratchBytes(k, width), 'kernel scratch'),
    }
  },
  open: (context) => new Lloyd(context),
}
