/**
 * L-BFGS with a line search, as an update rule: each call gets the loss and the gradient at the point it asked for, and leaves the next point to try in the
 * parameters. Every rank that gets the same sums takes the same decisions, so it spreads like any other rule; a step of training is one evaluation.
 *
 *     try w₀ + α·d  ─ loss too high ──▸ smaller α
 *                   ─ still steep ────▸ larger α
 *                   ─ good ───────────▸ w₀ moves there, (s, y) is remembered, d anew
 *
 * @see Liu, Nocedal, On the limited memory BFGS method for large scale optimization, Mathematical Programming 45, 1989
 * @see Lewis, Overton, Nonsmooth optimization via quasi-Newton methods, Mathematical Programming 141, 2013 (the bisection of the line search)
 * @packageDocumentation
 */
import type { Kernels } from '../kernels/kernels.ts'
import type { LbfgsSpec } from '../nn/optimizer-spec.ts'

type Flat = Float32Array<ArrayBuffer>

/**
 * What the search remembers between calls, in the first elements of its own slot, which is never shorter (a layout pads parameters to 16 elements): it
 * is saved and restored with the others.
 */
const word = { phase: 0, loss: 1, slope: 2, step: 3, low: 4, high: 5, trials: 6, pairs: 7, next: 8 } as const

/** Evaluations of one line search, at most; then the best way left is downhill. */
const maxTrials = 20

/**
 * One call of the rule.
 * @param slots - Search, origin, gradient at the origin, direction, then `history` differences of points and as many of gradients
 * @param loss - At `w`, over all rows
 */
export function lbfgsUpdate(kernels: Kernels, spec: LbfgsSpec, w: Flat, g: Flat, slots: readonly Flat[], loss: number): void {
  const [search, origin, slope, direction, ...memory] = slots as [Flat, Flat, Flat, Flat, ...Flat[]]
  const [points, gradients] = [memory.slice(0, spec.history), memory.slice(spec.history)]
  let value = loss
  if (spec.weightDecay > 0) {
    value += (spec.weightDecay / 2) * kernels.dot(w, w)
    kernels.axpy(spec.weightDecay, w, g)
  }
  if (search[word.phase] === 0) return begin(Math.min(1, 1 / Math.max(1e-12, norm(kernels, g))))
  const step = search[word.step] as number
  const along = kernels.dot(direction, g)
  const allowed = (search[word.loss] as number) + spec.sufficientDecrease * step * (search[word.slope] as number)
  const tried = (search[word.trials] as number) + 1
  const isTooHigh = !(value <= allowed)
  const isTooSteep = along < spec.curvature * (search[word.slope] as number)
  if ((isTooHigh || isTooSteep) && tried < maxTrials) {
    search[word.trials] = tried
    search[isTooHigh ? word.high : word.low] = step
    const [low, high] = [search[word.low] as number, search[word.high] as number]
    moveTo(high === Number.POSITIVE_INFINITY ? 2 * low : (low + high) / 2)
    return
  }
  if (isTooHigh) {
    // No way down along this direction: what is remembered misleads. From the origin, straight down.
    search[word.pairs] = 0
    kernels.copy(origin, w)
    kernels.copy(slope, g)
    value = search[word.loss] as number
    return begin(step / 2)
  }
  remember()
  begin(1)

  /** Takes `w` as the new origin and tries the first point of a new direction. */
  function begin(first: number): void {
    search[word.phase] = 1
    search[word.loss] = value
    kernels.copy(w, origin)
    kernels.copy(g, slope)
    chooseDirection()
    const down = kernels.dot(direction, slope)
    if (!(down < 0)) {
      search[word.pairs] = 0
      kernels.copy(slope, direction)
      kernels.scale(-1, direction)
    }
    search[word.slope] = kernels.dot(direction, slope)
    search[word.low] = 0
    search[word.high] = Number.POSITIVE_INFINITY
    search[word.trials] = 0
    moveTo(first * spec.learningRate)
  }

  function moveTo(next: number): void {
    search[word.step] = next
    kernels.copy(origin, w)
    kernels.axpy(next, direction, w)
  }

  /** Stores s = w − w₀ and y = g − g₀ where they are of use: sᵀy > 0. */
  function remember(): void {
    const at = search[word.next] as number
    const [s, y] = [points[at] as Flat, gradients[at] as Flat]
    kernels.copy(w, s)
    kernels.axpy(-1, origin, s)
    kernels.copy(g, y)
    kernels.axpy(-1, slope, y)
    if (!(kernels.dot(s, y) > 1e-10 * kernels.dot(y, y))) {
      // Nothing to remember; where all places were taken, the oldest pair lay here.
      search[word.pairs] = Math.min(spec.history - 1, search[word.pairs] as number)
      return
    }
    search[word.next] = (at + 1) % spec.history
    search[word.pairs] = Math.min(spec.history, (search[word.pairs] as number) + 1)
  }

  /** d = −H·g by the two loops. */
  function chooseDirection(): void {
    const pairs = search[word.pairs] as number
    const latest = Array.from({ length: pairs }, (_, k) => ((search[word.next] as number) - 1 - k + 2 * spec.history) % spec.history)
    kernels.copy(slope, direction)
    const alphas = latest.map((k) => {
      const [s, y] = [points[k] as Flat, gradients[k] as Flat]
      const alpha = kernels.dot(s, direction) / kernels.dot(y, s)
      kernels.axpy(-alpha, y, direction)
      return alpha
    })
    const [last] = latest
    if (last !== undefined) {
      const [s, y] = [points[last] as Flat, gradients[last] as Flat]
      kernels.scale(kernels.dot(s, y) / kernels.dot(y, y), direction)
    }
    for (const [i, k] of [...latest.entries()].reverse()) {
      const [s, y] = [points[k] as Flat, gradients[k] as Flat]
      kernels.axpy((alphas[i] as number) - kernels.dot(y, direction) / kernels.dot(y, s), s, direction)
    }
    kernels.scale(-1, direction)
  }
}

/** The last point that a search has accepted: what the model is after the last step. A run that is stopped before stays at its trial, so that it can go on. */
export function lbfgsAccepted(slots: readonly Flat[]): Flat {
  return slots[1] as Flat
}

function norm(kernels: Kernels, values: Flat): number {
  return Math.sqrt(kernels.dot(values, values))
}
