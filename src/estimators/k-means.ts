import { fit, type FitRun, stateArray } from '../api/fit.ts'
import { requireOptions } from '../option-checks.ts'
import type { RunOptions, SpreadOptions } from '../api/spec.ts'
import type { Dataset } from '../data/dataset.ts'
import { ConfigError, NotFittedError, ShapeError } from '../errors.ts'
import { type Matrix, matrixOf, toDataset } from './matrix.ts'

/** Options of {@link KMeans}, with scikit-learn's meanings. */
export interface KMeansOptions {
  /** Clusters (default 8). */
  readonly k?: number
  /** `k-means++`, or initial centres `[k, d]` row by row (default `k-means++`). */
  readonly init?: 'k-means++' | Float32Array
  /** Most iterations (default 300). */
  readonly maxIterations?: number
  /** Stop when the centres move less than tol × mean variance of the columns, squared (default 1e-4). */
  readonly tol?: number
  /** Starts, of which the one with the least inertia is kept (default 1). */
  readonly numInit?: number
  /** Default 1. */
  readonly seed?: number
}

/**
 * K-means by Lloyd's algorithm. How it is spread is an option of `fit`, not of the model.
 *
 * @example
 * ```ts
 * const model = await new KMeans({ k: 10 }).fit(images, { workers: 2 })
 * console.log(model.inertia_, await model.predict(more))
 * ```
 * @see Lloyd 1982; Arthur, Vassilvitskii, k-means++, SODA 2007
 */
export class KMeans {
  readonly options: Readonly<Required<KMeansOptions>>
  #run: FitRun | undefined
  #d = 0

  constructor(options: KMeansOptions = {}) {
    requireOptions('KMeans', options, { k: true, init: true, maxIterations: true, tol: true, numInit: true, seed: true })
    this.options = { k: 8, init: 'k-means++', maxIterations: 300, tol: 1e-4, numInit: 1, seed: 1, ...options }
  }

  /**
   * Learns the centres.
   * @param x - rows: a data set, or `{ values, rows }`
   * @returns itself
   * @throws {ConfigError} when there are fewer rows than clusters
   */
  async fit(x: Dataset | Matrix, spread: SpreadOptions & RunOptions = {}): Promise<this> {
    const data = toDataset(x)
    const { k, init, maxIterations, tol, numInit, seed } = this.options
    if (!Number.isInteger(k) || k < 1 || k > data.rows)
      throw new ConfigError(`KMeans: k — expected a whole number from 1 to ${data.rows} rows, got ${k}`)
    this.#d = data.features.values.length / data.rows
    const given = typeof init === 'string' ? undefined : init
    if (given && given.length !== k * this.#d) {
      throw new ShapeError(`KMeans: init has ${given.length} elements — expected [k, d] = [${k}, ${this.#d}] = ${k * this.#d}`)
    }
    let best: FitRun | undefined
    for (let start = 0; start < numInit; start++) {
      const run = await fit(
        {
          ...spread,
          system: spread.system ?? 'km-lloyd',
          systemOptions: { k, tol, init: given ? 'given' : 'k-means++', ...spread.systemOptions },
          data,
          maxSteps: maxIterations,
          seed: seed + start,
          ...(given ? { extra: { initialCenters: given } } : {}),
        },
        spread,
      )
      if (best === undefined || (run.summary.finalMetric ?? 0) < (best.summary.finalMetric ?? 0)) best = run
    }
    this.#run = best
    return this
  }

  /** Nearest centre of every row, int32 `[rows]`. */
  predict(x: Dataset | Matrix): Int32Array {
    const { values, rows, width, scale } = matrixOf(x)
    const { k } = this.options
    const centers = this.clusterCenters_
    if (width !== this.#d) throw new ShapeError(`KMeans: rows have ${width} columns — expected ${this.#d}, as in fit`)
    const labels = new Int32Array(rows)
    for (let row = 0; row < rows; row++) {
      let least = Number.POSITIVE_INFINITY
      for (let c = 0; c < k; c++) {
        let distance = 0
        for (let j = 0; j < width; j++) distance += ((values[row * width + j] as number) * scale - (centers[c * width + j] as number)) ** 2
        if (distance < least) {
          least = distance
          labels[row] = c
        }
      }
    }
    return labels
  }

  /** Centres, float32 `[k, d]`. */
  get clusterCenters_(): Float32Array {
    return stateArray(this.run_, 'centers') as Float32Array
  }

  /** Σ of squared distances of the rows to their centres. */
  get inertia_(): number {
    return this.run_.summary.finalMetric as number
  }

  /** Cluster of every fitted row. */
  get labels_(): Int32Array {
    return this.run_.ofRows.labels as Int32Array
  }

  /** Iterations of the kept start. */
  get nIter_(): number {
    return this.run_.summary.steps
  }

  /** The record of the kept start. */
  get run_(): FitRun {
    if (this.#run === undefined) throw new NotFittedError('KMeans: not fitted — call fit first')
    return this.#run
  }
}
