/**
 * The hot loops, one instance per (thread, segment): `kernelsFor(segment)`. Every array that is passed must lie in that segment
 * (`Segment.of`), because a kernel works on byte offsets. Each has a plain twin (`plainKernels`, for arrays on the heap) and a property
 * test between the two. Lengths are checked once a call (`ShapeError`), values never (but the row numbers of `addRows`).
 *
 * Rounding: the element-wise kernels and updates round every float32 operation to float32, so that both twins give the same bits; sums, dot
 * products, `lloyd` and `gram` accumulate in float64, in an order of their own.
 * @packageDocumentation
 */
import type { ReduceOp } from '../fabric/communicator.ts'
import type { NumericArray } from '../memory/dtype.ts'

type F32 = Float32Array
type F64 = Float64Array
type I32 = Int32Array
type U8 = Uint8Array

/** What does not change about rows [start, end) from pass to pass. */
export interface RowSurvey {
  readonly start: number
  readonly end: number
  /** Elements of a row. */
  readonly d: number
  /** |x|² of each row, and which of its blocks are not all zeros. */
  readonly records: U8
  /** Σ|x|² over the rows, in units of the stored values. */
  readonly squares: number
}

/**
 * RMSProp: square = ρ·square + (1 − ρ)·d², d = g + decay·w; average likewise of d; variance = square, less average² where it is centred;
 * step = d / (√(variance + epsilonInside) + epsilonOutside); with momentum velocity = momentum·velocity + step; w -= learningRate·step.
 */
export interface RmspropConstants {
  readonly learningRate: number
  readonly rho: number
  readonly epsilonInside: number
  readonly epsilonOutside: number
  readonly momentum: number
  readonly decay: number
}

/** SIMD kernels over the arrays of one segment. */
export interface Kernels {
  /**
   * into[i] = a[i] (op) b[i]; `into` may be `a` or `b`. float32, float64, int32, all of one kind and length.
   * max and min are those of `Math.max`: a NaN on either side gives NaN, and −0 < +0. int32 sums wrap.
   */
  reduce(op: ReduceOp, a: NumericArray, b: NumericArray, into: NumericArray): void
  /** a[i] = b[i] = a[i] (op) b[i]: two ranks' all-reduce in one pass over the memory. */
  reduceBoth(op: ReduceOp, a: NumericArray, b: NumericArray): void
  /** into = from, of one kind; they may overlap. */
  copy(from: NumericArray, into: NumericArray): void
  /** array[i] = value. */
  fill(array: NumericArray, value: number): void
  /** y += alpha * x. */
  axpy(alpha: number, x: F32 | F64, y: F32 | F64): void
  /** x *= alpha. */
  scale(alpha: number, x: F32 | F64): void
  /** Σ x·y, accumulated in float64. */
  dot(x: F32 | F64, y: F32 | F64): number
  /** Σ x, accumulated in float64. */
  sum(x: F32 | F64): number
  /** Largest element as `Math.max` has it: NaN if there is one, −∞ of an empty array. */
  max(x: F32 | F64): number

  /** w -= learningRate·(g + decay·w). */
  sgd(w: F32, g: F32, learningRate: number, decay: number): void
  /** v = momentum·v + g + decay·w; w -= learningRate·v (nesterov: w -= learningRate·(g + decay·w + momentum·v)). PyTorch's form. */
  momentum(w: F32, g: F32, v: F32, learningRate: number, momentum: number, decay: number, nesterov: boolean): void
  /** Adam (Kingma & Ba 2015, Algorithm 1), step counted from 1; decay is added to g, or decoupled (AdamW) when `decoupled`. */
  adam(
    w: F32,
    g: F32,
    m: F32,
    v: F32,
    learningRate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    step: number,
    decay: number,
    decoupled: boolean,
  ): void
  /** The moments of Adam; g becomes its direction with decoupled decay, m̂ / (√v̂ + epsilon) + decay·w: what LAMB scales layer by layer. */
  adamDirection(w: F32, g: F32, m: F32, v: F32, beta1: number, beta2: number, epsilon: number, step: number, decay: number): void
  /** a += d²; w -= learningRate·d / (√a + epsilon), d = g + decay·w (Duchi, Hazan, Singer 2011, in PyTorch's form). */
  adagrad(w: F32, g: F32, a: F32, learningRate: number, epsilon: number, decay: number): void
  /** RMSProp in its published variants; see {@link RmspropConstants}. `average` makes it centred, `velocity` adds momentum. */
  rmsprop(w: F32, g: F32, square: F32, average: F32 | undefined, velocity: F32 | undefined, constants: RmspropConstants): void
  /**
   * into[rows[i], :] += values[i, :], in order: the gradient of a table from the gradients of its uses; numbers may repeat.
   * @param values - `[rows.length, width]`
   * @param into - `[…, width]`
   * @throws {ShapeError} when a number is no row of `into`
   */
  addRows(values: F32, rows: I32, width: number, into: F32): void
  /** into[rows[i], :] = 0; numbers as `addRows` takes them. */
  clearRows(rows: I32, width: number, into: F32): void
  /**
   * `sgd` without decay on the rows that are named; their g becomes 0, so that a number may repeat.
   * @param w - `[…, width]`, as g; numbers as `addRows` takes them
   */
  sgdRows(w: F32, g: F32, rows: I32, width: number, learningRate: number): void
  /** `adagrad` without decay on the rows that are named, as {@link Kernels.sgdRows} does it. */
  adagradRows(w: F32, g: F32, a: F32, rows: I32, width: number, learningRate: number, epsilon: number): void
  /** Elements into [−limit, limit]. */
  clamp(x: F32, limit: number): void

  /**
   * into[i, :] = (source[rows[i], :] as float32)·scale + shift, `width` elements a row: a shuffled batch, normalised.
   * All in one segment: a data set's own, whose staging buffers lie beside its rows.
   */
  gather(source: U8 | F32, rows: I32, width: number, into: F32, scale: number, shift: number): void
  /** into[i, :] = source[rows[i], :], as many elements a row as `into` has: class numbers, ids. */
  gatherInt32(source: I32 | U8, rows: I32, into: I32): void

  /**
   * Mirrors and moves images in place; what the frame leaves becomes `fill`.
   * @param images - `[n, channels, height, width]`
   * @param shape - `[channels, height, width]`
   * @param moves - `[n, 3]`: mirrored left to right (0 or 1), then rows down, then columns right
   * @param scratch - at least height·width elements; contents do not matter
   */
  flipShift(images: F32, shape: readonly [number, number, number], moves: I32, fill: number, scratch: F32): void

  /**
   * Looks at rows [start, end) once, for any number of passes of `lloyd`.
   * @param rows - `[n, d]`, float32 or uint8
   * @param records - at least `surveyBytes(end − start, d)` bytes, aligned to 8
   */
  survey(rows: F32 | U8, start: number, end: number, d: number, records: U8): RowSurvey
  /**
   * One pass of Lloyd's step over the surveyed rows: nearest centre by squared Euclidean distance (ties: lowest index), exactly as float64
   * arithmetic decides it. Adds the rows to `sums` and 1 to `counts` of their centre, writes `labels[i]` of row i (no labels when empty).
   * @param rows - `[n, d]`, float32 (then `scale` must be 1) or uint8 (a row is value·scale); unchanged since the survey
   * @param centers - `[k, d]`
   * @param sums - `[k, d]`
   * @param counts - `[k]`
   * @param scratch - at least `lloydScratchBytes(k, d)` bytes of this thread's own, aligned to 64; contents do not matter
   * @returns Σ of the least squared distances, in float64
   */
  lloyd(rows: F32 | U8, scale: number, survey: RowSurvey, centers: F32, k: number, sums: F64, counts: F64, labels: I32, scratch: U8): number
  /**
   * distances[i − start] = min(distances[i − start], |row i − center|²) for rows [start, end): the D² of k-means++.
   * @param rows - `[n, d]`, float32 (then `scale` must be 1) or uint8 (a row is value·scale)
   * @param center - `[d]`
   * @returns Σ of the distances that are kept
   */
  nearer(rows: F32 | U8, scale: number, start: number, end: number, center: F32, d: number, distances: F64): number
  /**
   * Adds the upper triangle (the rest stays as it is) of Σ [x, y]ᵀ[x, y] over rows [start, end) to gram `[d+1, d+1]`, and Σ [x, y] to
   * sums `[d+1]`, all in float64.
   * @param rows - `[n, d]`
   * @param targets - `[n]`, of the same kind
   * @param scratch - at least `gramScratchBytes(d)` bytes of this thread's own, aligned to 64; contents do not matter
   */
  gram(rows: F32 | F64, targets: F32 | F64, start: number, end: number, d: number, gram: F64, sums: F64, scratch: U8): void

  /**
   * Philox4x32-10 words: into[n] = word j mod 4 of the block with key (seed, stream) and counter (row mod 2³², row ≫ 32, j ≫ 2, 0), where
   * j = first + n: what `word(seed, stream, row, j)` of rng.ts gives, as int32 bits.
   */
  philox(seed: number, stream: number, row: number, first: number, into: I32): void
  /**
   * Bernoulli mask for dropout: into[b, j] = 1/keepProbability where u < keepProbability, else 0. u comes from word j mod 4 of the block
   * with key (seed, stream) and counter (samples[b], 0, j ≫ 2, step): it depends on the sample, not on the rank or batch that holds it.
   */
  dropoutMask(seed: number, stream: number, step: number, samples: I32, width: number, keepProbability: number, into: F32): void
}
