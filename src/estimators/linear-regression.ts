import { fit, type FitRun, stateArray } from '../api/fit.ts'
import { requireOptions } from '../option-checks.ts'
import type { RunOptions, SpreadOptions } from '../api/spec.ts'
import type { Dataset } from '../data/dataset.ts'
import { NotFittedError, ShapeError } from '../errors.ts'
import { type Matrix, matrixOf, toDataset } from './matrix.ts'

/** Options of {@link LinearRegression}, with scikit-learn's meanings (`alpha` as in Ridge). */
export interface LinearRegressionOptions {
  /** Default true. */
  readonly fitIntercept?: boolean
  /** λ of ridge regression (default 0: least squares). */
  readonly alpha?: number
}

type Values = Float32Array | Float64Array

/** Least squares by normal equations, exact in one exchange. How it is spread is an option of `fit`. */
export class LinearRegression {
  readonly options: Readonly<Required<LinearRegressionOptions>>
  #run: FitRun | undefined

  constructor(options: LinearRegressionOptions = {}) {
    requireOptions('LinearRegression', options, { fitIntercept: true, alpha: true })
    this.options = { fitIntercept: true, alpha: 0, ...options }
  }

  /**
   * Learns the coefficients.
   * @param x - rows: a data set with a target, or `{ values, rows }` followed by their values `y`
   * @throws {DataError} when columns depend on each other and `alpha` is 0
   */
  fit(x: Dataset, spread?: SpreadOptions & RunOptions): Promise<this>
  fit(x: Dataset | Matrix, y: Values | undefined, spread?: SpreadOptions & RunOptions): Promise<this>
  async fit(x: Dataset | Matrix, second?: Values | (SpreadOptions & RunOptions), third?: SpreadOptions & RunOptions): Promise<this> {
    const y = ArrayBuffer.isView(second) ? second : undefined
    const spread = third ?? (ArrayBuffer.isView(second) ? {} : (second ?? {}))
    const { system, systemOptions, ...rest } = spread
    this.#run = await fit(
      {
        ...rest,
        system: system ?? 'lin-ols',
        systemOptions: { ...this.options, ...systemOptions },
        data: toDataset(x, y),
        maxSteps: 1,
      },
      spread,
    )
    return this
  }

  /** ŷ of every row, float64 `[rows]`. */
  predict(x: Dataset | Matrix): Float64Array {
    const { values, rows, width } = matrixOf(x)
    const { coef_, intercept_ } = this
    if (width !== coef_.length) throw new ShapeError(`LinearRegression: rows have ${width} columns — expected ${coef_.length}, as in fit`)
    const predicted = new Float64Array(rows).fill(intercept_)
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < width; j++)
        predicted[row] = (predicted[row] as number) + (values[row * width + j] as number) * (coef_[j] as number)
    }
    return predicted
  }

  /** Coefficients, float64 `[d]`. */
  get coef_(): Float64Array {
    return stateArray(this.run_, 'coef') as Float64Array
  }

  get intercept_(): number {
    return stateArray(this.run_, 'intercept')[0] as number
  }

  /** The record of the fit. */
  get run_(): FitRun {
    if (this.#run === undefined) throw new NotFittedError('LinearRegression: not fitted — call fit first')
    return this.#run
  }
}
