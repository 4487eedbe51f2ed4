/**
 * The kernels as plain loops: the oracle of the SIMD ones, and what runs on arrays that do not lie in a segment. Element-wise results are
 * rounded to float32 after every operation, as lanes round, so that both give the same bits.
 * @packageDocumentation
 */
import type { ReduceOp } from '../fabric/communicator.ts'
import { philoxBlock } from '../rng.ts'
import { refuseRow, requireRange, requireRoom, requireRowUses, requireRows, requireSameKind, requireSameLength } from './checks.ts'
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
  adamDirection(w, g, m, v, beta1, beta2, epsilon, step, decay) {
    requireSameLength('adamDirection', w, g, m, v)
    const c = adamConstants(1, beta1, beta2, epsilon, step, 0, false)
    const wd = f32(decay)
    for (let i = 0; i < w.length; i++) {
      m[i] = f32(c.beta1 * m[i]!) + f32(c.keep1 * g[i]!)
      v[i] = f32(c.beta2 * v[i]!) + f32(c.keep2 * f32(g[i]! * g[i]!))
      const divisor = f32(f32(f32(Math.sqrt(v[i]!)) / c.root) + c.epsilon)
      g[i] = f32(f32(c.stepSize * m[i]!) / divisor) + f32(wd * w[i]!)
    }
  },
  adagrad(w, g, a, learningRate, epsilon, decay) {
    requireSameLength('adagrad', w, g, a)
    const [rate, eps, wd] = [f32(learningRate), f32(epsilon), f32(decay)]
    for (let i = 0; i < w.length; i++) {
      const d = f32(g[i]! + f32(wd * w[i]!))
      a[i] = a[i]! + f32(d * d)
      w[i] = w[i]! - f32(f32(rate * d) / f32(f32(Math.sqrt(a[i]!)) + eps))
    }
  },
  rmsprop(w, g, square, average, velocity, constants) {
    for (const array of [g, square, average, velocity]) if (array !== undefined) requireSameLength('rmsprop', w, array)
    const [rate, rho, keep] = [f32(constants.learningRate), f32(constants.rho), f32(1 - constants.rho)]
    const [inside, outside] = [f32(constants.epsilonInside), f32(constants.epsilonOutside)]
    const [mu, wd] = [f32(constants.momentum), f32(constants.decay)]
    for (let i = 0; i < w.length; i++) {
      const d = f32(g[i]! + f32(wd * w[i]!))
      square[i] = f32(rho * square[i]!) + f32(keep * f32(d * d))
      let variance = square[i]!
      if (average !== undefined) {
        average[i] = f32(rho * average[i]!) + f32(keep * d)
        variance = Math.max(0, f32(square[i]! - f32(average[i]! * average[i]!)))
      }
      let step = f32(d / f32(f32(Math.sqrt(f32(variance + inside))) + outside))
      if (velocity !== undefined) {
        velocity[i] = f32(mu * velocity[i]!) + step
        step = velocity[i]!
      }
      w[i] = w[i]! - f32(rate * step)
    }
  },
  addRows(values, rows, width, into) {
    requireRowUses('addRows', values, rows, width, into)
    for (let i = 0; i < rows.length; i++) {
      const to = rows[i]! * width
      if (to < 0 || to >= into.length) refuseRow(rows[i]!, into.length / width)
      for (let j = 0; j < width; j++) into[to + j] = into[to + j]! + values[i * width + j]!
    }
  },
  clearRows(rows, width, into) {
    for (const row of rows) into.fill(0, row * width, (row + 1) * width)
  },
  sgdRows(w, g, rows, width, learningRate) {
    requireSameLength('sgdRows', w, g)
    for (const row of rows) {
      const [from, to] = [row * width, (row + 1) * width]
      plainKernels.sgd(w.subarray(from, to), g.subarray(from, to), learningRate, 0)
      g.fill(0, from, to)
    }
  },
  adagradRows(w, g, a, rows, width, learningRate, epsilon) {
    requireSameLength('adagradRows', w, g, a)
    for (const row of rows) {
      const [from, to] = [row * width, (row + 1) * width]
      plainKernels.adagrad(w.subarray(from, to), g.subarray(from, to), a.subarray(from, to), learningRate, epsilon, 0)
      g.fill(0, from, to)
    }
  },
  flipShift(images, [channels, height, width], moves, fill) {
    const plane = height * width
    for (let image = 0; image < moves.length / 3; image++) {
      const [mirrored, down, right] = moves.subarray(3 * image) as unknown as [number, number, number]
      for (let channel = 0; channel < channels; channel++) {
        const start = (image * channels + channel) * plane
        const from = images.slice(start, start + plane)
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const [row, column] = [y - down, x - right]
            const isInside = row >= 0 && row < height && column >= 0 && column < width
            images[start + y * width + x] = isInside ? from[row * width + (mirrored ? width - 1 - column : column)]! : fill
          }
        }
      }
    }
  },
  clamp(x, limit) {
    const most = f32(limit)
    for (let i = 0; i < x.length; i++) x[i] = Math.min(most, Math.max(-most, x[i]!))
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
    const width = requireRows('gatherInt32', 'into', into, rows.length)
    for (let i = 0; i < rows.length; i++) for (let j = 0; j < width; j++) into[i * width + j] = source[rows[i]! * width + j]!
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
