import { DataError } from '../../errors.ts'

/** Writes the upper triangle of a square matrix row by row into `into`; returns how many elements that is. */
export function packTriangle(matrix: Float64Array, size: number, into: Float64Array): number {
  let at = 0
  for (let i = 0; i < size; i++) for (let j = i; j < size; j++) into[at++] = matrix[i * size + j] as number
  return at
}

/** Least squares from sums. */
export interface LeastSquares {
  readonly coefficients: Float64Array
  readonly intercept: number
  /** Root of the mean squared residual on the rows that were summed. */
  readonly rmse: number
}

/**
 * Solves (A + λI)·w = b from the statistic `[packed upper triangle of Σ[x,y][x,y]ᵀ | Σ[x,y] | count]`. With an intercept the sums are centred first, so it
 * is not regularised.
 * @throws {DataError} when the columns depend on each other (the Cholesky factor has no positive pivot).
 */
export function solveNormalEquations(
  statistic: Float64Array,
  d: number,
  options: { readonly lambda: number; readonly fitIntercept: boolean },
): LeastSquares {
  const size = d + 1
  const packed = (size * (size + 1)) / 2
  const sums = statistic.subarray(packed, packed + size)
  const count = statistic[packed + size] as number
  const full = new Float64Array(size * size)
  for (let i = 0, at = 0; i < size; i++) {
    for (let j = i; j < size; j++, at++) {
      const centred = (statistic[at] as number) - (options.fitIntercept ? ((sums[i] as number) * (sums[j] as number)) / count : 0)
      full[i * size + j] = full[j * size + i] = centred
    }
  }
  const a = new Float64Array(d * d)
  const b = new Float64Array(d)
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) a[i * d + j] = (full[i * size + j] as number) + (i === j ? options.lambda : 0)
    b[i] = full[i * size + d] as number
  }
  const coefficients = solveCholesky(a, b, d)
  let intercept = 0
  if (options.fitIntercept) {
    intercept = (sums[d] as number) / count
    for (let j = 0; j < d; j++) intercept -= (coefficients[j] as number) * ((sums[j] as number) / count)
  }
  // ‖y − Xw‖² = yᵀy − 2wᵀb + wᵀAw, of the centred sums.
  let residual = full[d * size + d] as number
  for (let i = 0; i < d; i++) {
    residual -= 2 * (coefficients[i] as number) * (b[i] as number)
    for (let j = 0; j < d; j++) residual += (coefficients[i] as number) * (full[i * size + j] as number) * (coefficients[j] as number)
  }
  return { coefficients, intercept, rmse: Math.sqrt(Math.max(0, residual) / count) }
}

/** Solves a·x = b for a symmetric positive definite `[d, d]` matrix; `a` is overwritten by its factor. */
function solveCholesky(a: Float64Array, b: Float64Array, d: number): Float64Array {
  for (let j = 0; j < d; j++) {
    const diagonal = a[j * d + j] as number
    let pivot = diagonal
    for (let k = 0; k < j; k++) pivot -= (a[j * d + k] as number) ** 2
    if (!(pivot > Math.abs(diagonal) * 1e-14)) {
      throw new DataError(
        `lin-ols: column ${j} is a combination of the columns before it — expected independent columns (drop it, or set alpha > 0)`,
      )
    }
    const root = Math.sqrt(pivot)
    a[j * d + j] = root
    for (let i = j + 1; i < d; i++) {
      let sum = a[i * d + j] as number
      for (let k = 0; k < j; k++) sum -= (a[i * d + k] as number) * (a[j * d + k] as number)
      a[i * d + j] = sum / root
    }
  }
  const x = Float64Array.from(b)
  for (let i = 0; i < d; i++) {
    for (let k = 0; k < i; k++) x[i] = (x[i] as number) - (a[i * d + k] as number) * (x[k] as number)
    x[i] = (x[i] as number) / (a[i * d + i] as number)
  }
  for (let i = d - 1; i >= 0; i--) {
    for (let k = i + 1; k < d; k++) x[i] = (x[i] as number) - (a[k * d + i] as number) * (x[k] as number)
    x[i] = (x[i] as number) / (a[i * d + i] as number)
  }
  return x
}
