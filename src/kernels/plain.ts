/**
 * The kernels as plain loops: the oracle of the SIMD ones, and what runs on arrays that do not lie in a segment. Element-wise results are
 * rounded to float32 after every operation, as lanes round, so that both give the same bits.
 * @packageDocumentation
 */
import type { ReduceOp } from '../fabric/communicator.ts'
import { philoxBlock } from '../rng.ts'
import { requireRange, requireRoom, requireSameKind, requireSameLength } from './checks.ts'
import type { Kernels } from './kernels.ts'

const two32 = 2 ** 32
const f32 = Math.fround
const exact = (value: number) => value

const combine: Readonly<Record<ReduceOp, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  max: Math.max,
  min: Math.min,
}

/** What an array's own kind rounds a product to before it is added. */
function rounding(array: ArrayBufferView): (value: number) => number {
  return array instanceof Float32Array ? f32 : exact
}

/** Plain twin of the SIMD kernels; needs no scratch (pass an empty array). */
export const plainKernels: Kernels = {
  reduce(op, a, b, into) {
    requireSameKind('reduce', a, b, into)
    requireSameLength('reduce', a, b, into)
    const of = combine[op]
    for (let i = 0; i < a.length; i++) into[i] = of(a[i]!, b[i]!)
  },
  reduceBoth(op, a, b) {
    requireSameKind('reduceBoth', a, b)
    requireSameLength('reduceBoth', a, b)
    const of = combine[op]
    for (let i = 0; i < a.length; i++) {
      a[i] = of(a[i]!, b[i]!)
      b[i] = a[i]!
    }
  },
  copy(from, into) {
    requireSameKind('copy', from, into)
    requireSameLength('copy', from, into)
    into.set(from)
  },
  fill(array, value) {
    array.fill(value)
  },
  axpy(alpha, x, y) {
    requireSameKind('axpy', x, y)
    requireSameLength('axpy', x, y)
    const round = rounding(x)
    const factor = round(alpha)
    for (let i = 0; i < x.length; i++) y[i] = y[i]! + round(factor * x[i]!)
  },
  scale(alpha, x) {
    const factor = rounding(x)(alpha)
    for (let i = 0; i < x.length; i++) x[i] = factor * x[i]!
  },
  dot(x, y) {
    requireSameKind('dot', x, y)
    requireSameLength('dot', x, y)
    let sum = 0
    for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!
    return sum
  },
  sum(x) {
    let sum = 0
    for (let i = 0; i < x.length; i++) sum += x[i]!
    return sum
  },
  max(x) {
    let largest = Number.NEGATIVE_INFINITY
    for (let i = 0; i < x.length; i++) largest = Math.max(largest, x[i]!)
    return largest
  },

  sgd(w, g, learningRate, decay) {
    requireSameLength('sgd', w, g)
    const [rate, wd] = [f32(learningRate), f32(decay)]
    for (let i = 0; i < w.length; i++) w[i] = w[i]! - f32(rate * f32(g[i]! + f32(wd * w[i]!)))
  },
  momentum(w, g, v, learningRate, momentum, decay, nesterov) {
    requireSameLength('momentum', w, g, v)
    const [rate, mu, wd] = [f32(learningRate), f32(momentum), f32(decay)]
    for (let i = 0; i < w.length; i++) {
      const d = f32(g[i]! + f32(wd * w[i]!))
      v[i] = f32(mu * v[i]!) + d
      const direction = nesterov ? f32(d + f32(mu * v[i]!)) : v[i]!
      w[i] = w[i]! - f32(rate * direction)
    }
  },
  adam(w, g, m, v, learningRate, beta1, beta2, epsilon, step, decay, decoupled) {
    requireSameLength('adam', w, g, m, v)
    const c = adamConstants(learningRate, beta1, beta2, epsilon, step, decay, decoupled)
    for (let i = 0; i < w.length; i++) {
      const d = f32(g[i]! + f32(c.decay * w[i]!))
      m[i] = f32(c.beta1 * m[i]!) + f32(c.keep1 * d)
      v[i] = f32(c.beta2 * v[i]!) + f32(c.keep2 * f32(d * d))
      const divisor = f32(f32(f32(Math.sqrt(v[i]!)) / c.root) + c.epsilon)
      w[i] = f32(c.shrink * w[i]!) - f32(f32(c.stepSize * m[i]!) / divisor)
    }
  },

  gather(source, rows, width, into, scale, shift) {
    requireRoom('gather', 'into', into, rows.length * width)
    const [factor, offset] = [f32(scale), f32(shift)]
    for (let i = 0; i < rows.length; i++) {
      const from = rows[i]! * width
      for (let j = 0; j < width; j++) into[i * width + j] = f32(source[from + j]! * factor) + offset
    }
  },
  gatherInt32(source, rows, into) {
    requireRoom('gatherInt32', 'into', into, rows.length)
    for (let i = 0; i < rows.length; i++) into[i] = source[rows[i]!]!
  },

  survey(rows, start, end, d, records) {
    requireRange('survey', start, end, Math.floor(rows.length / d))
    let squares = 0
    for (let i = start * d; i < end * d; i++) squares += rows[i]! ** 2
    return { start, end, d, records, squares }
  },
  lloyd(rows, scale, { start, end, d }, centers, k, sums, counts, labels) {
    requireRange('lloyd', start, end, Math.floor(rows.length / d))
    requireRoom('lloyd', 'sums', sums, k * d)
    const factor = rows instanceof Uint8Array ? scale : 1
    let total = 0
    for (let i = start; i < end; i++) {
      let [label, least] = [0, Number.POSITIVE_INFINITY]
      for (let c = 0; c < k; c++) {
        // Even and odd elements apart, as the kernel has them: equal rounding makes equal labels where two centres tie.
        let [even, odd] = [0, 0]
        for (let j = 0; j < d; j++) {
          const difference = rows[i * d + j]! * factor - centers[c * d + j]!
          if (j % 2 === 0) even += difference * difference
          else odd += difference * difference
        }
        if (even + odd < least) [label, least] = [c, even + odd]
      }
      for (let j = 0; j < d; j++) sums[label * d + j] = sums[label * d + j]! + rows[i * d + j]! * factor
      counts[label] = counts[label]! + 1
      if (labels.length > 0) labels[i] = label
      total += least
    }
    return total
  },
  nearer(rows, scale, start, end, center, d, distances) {
    const factor = rows instanceof Uint8Array ? scale : 1
    let total = 0
    for (let row = start; row < end; row++) {
      let value = 0
      for (let j = 0; j < d; j++) value += (rows[row * d + j]! * factor - center[j]!) ** 2
      if (value < distances[row - start]!) distances[row - start] = value
      total += distances[row - start]!
    }
    return total
  },
  gram(rows, targets, start, end, d, gram, sums) {
    requireSameKind('gram', rows, targets)
    requireRange('gram', start, end, targets.length)
    const size = d + 1
    const row = new Float64Array(size)
    for (let i = start; i < end; i++) {
      for (let j = 0; j < d; j++) row[j] = rows[i * d + j]!
      row[d] = targets[i]!
      for (let a = 0; a < size; a++) {
        sums[a] = sums[a]! + row[a]!
        for (let b = a; b < size; b++) gram[a * size + b] = gram[a * size + b]! + row[a]! * row[b]!
      }
    }
  },

  philox(seed, stream, row, first, into) {
    const words = new Int32Array(4)
    for (let n = 0; n < into.length; n++) {
      const j = first + n
      if (n === 0 || j % 4 === 0) philoxBlock(seed, stream, row >>> 0, Math.floor(row / two32), j >>> 2, 0, words)
      into[n] = words[j % 4]!
    }
  },
  dropoutMask(seed, stream, step, samples, width, keepProbability, into) {
    requireRoom('dropoutMask', 'into', into, samples.length * width)
    const words = new Uint32Array(4)
    for (let b = 0; b < samples.length; b++) {
      for (let j = 0; j < width; j++) {
        if (j % 4 === 0) philoxBlock(seed, stream, samples[b]!, 0, j >>> 2, step, words)
        into[b * width + j] = (words[j % 4]! + 0.5) / two32 < keepProbability ? 1 / keepProbability : 0
      }
    }
  },
}

/** Adam's constants as float32, after the bias correction of step t has been taken together in float64. */
export function adamConstants(
  learningRate: number,
  beta1: number,
  beta2: number,
  epsilon: number,
  step: number,
  decay: number,
  decoupled: boolean,
): Readonly<Record<'beta1' | 'keep1' | 'beta2' | 'keep2' | 'epsilon' | 'stepSize' | 'root' | 'decay' | 'shrink', number>> {
  return {
    beta1: f32(beta1),
    keep1: f32(1 - beta1),
    beta2: f32(beta2),
    keep2: f32(1 - beta2),
    epsilon: f32(epsilon),
    stepSize: f32(learningRate / (1 - beta1 ** step)),
    root: f32(Math.sqrt(1 - beta2 ** step)),
    decay: decoupled ? 0 : f32(decay),
    shrink: decoupled ? f32(1 - learningRate * decay) : 1,
  }
}
