import type { ReduceOp } from '../fabric/communicator.ts'
import { MemoryError } from '../errors.ts'
import type { Segment } from '../memory/segment.ts'
import {
  refuseRow,
  requireRange,
  requireRoom,
  requireRowUses,
  requireRows,
  requireSameKind,
  requireSameLength,
  requireShape,
} from './checks.ts'
import type { KernelExports } from './exports.ts'
import type { Kernels } from './kernels.ts'
import { adamConstants, plainKernels } from './plain.ts'
import { gramScratchBytes, lloydScratchBytes, surveyBytes } from './scratch.ts'

const opNumber: Readonly<Record<ReduceOp, number>> = { sum: 0, max: 1, min: 2 }
const two32 = 2 ** 32
/** Rows per call of a long kernel: V8 swaps a function's first, slow code for its optimised code between calls, never inside one. */
const rowsPerCall = 512
/** Wider rows do not fit the 16-bit places of the compacted rows. */
const widestRow = 65536

/** The typed face of one Wasm instance: checks lengths, and turns arrays into addresses. */
export function segmentKernels(segment: Segment, wasm: KernelExports): Kernels {
  const { buffer } = segment

  function requireHere(kernel: string, ...arrays: readonly ArrayBufferView[]): void {
    for (const array of arrays) {
      if (array.buffer === buffer) continue
      throw new MemoryError(
        `kernels: ${kernel} cannot run — expected arrays on segment "${segment.label}", got one elsewhere ` +
          '(allocate it there, or use plainKernels)',
      )
    }
  }

  return {
    reduce(op, a, b, into) {
      requireHere('reduce', a, b, into)
      requireSameKind('reduce', a, b, into)
      requireSameLength('reduce', a, b, into)
      const [x, y, z] = [a.byteOffset, b.byteOffset, into.byteOffset]
      if (a instanceof Float32Array) wasm.reduceFloat32(opNumber[op], x, y, z, a.length)
      else if (a instanceof Float64Array) wasm.reduceFloat64(opNumber[op], x, y, z, a.length)
      else if (a instanceof Int32Array) wasm.reduceInt32(opNumber[op], x, y, z, a.length)
      else plainKernels.reduce(op, a, b, into)
    },
    reduceBoth(op, a, b) {
      requireHere('reduceBoth', a, b)
      requireSameKind('reduceBoth', a, b)
      requireSameLength('reduceBoth', a, b)
      if (a instanceof Float32Array) wasm.reduceBothFloat32(opNumber[op], a.byteOffset, b.byteOffset, a.length)
      else if (a instanceof Float64Array) wasm.reduceBothFloat64(opNumber[op], a.byteOffset, b.byteOffset, a.length)
      else if (a instanceof Int32Array) wasm.reduceBothInt32(opNumber[op], a.byteOffset, b.byteOffset, a.length)
      else plainKernels.reduceBoth(op, a, b)
    },
    // The engine's own memmove and fill are as fast as the memory.
    copy: plainKernels.copy,
    fill: plainKernels.fill,
    axpy(alpha, x, y) {
      requireHere('axpy', x, y)
      requireSameKind('axpy', x, y)
      requireSameLength('axpy', x, y)
      if (x instanceof Float32Array) wasm.axpyFloat32(alpha, x.byteOffset, y.byteOffset, x.length)
      else wasm.axpyFloat64(alpha, x.byteOffset, y.byteOffset, x.length)
    },
    scale(alpha, x) {
      requireHere('scale', x)
      if (x instanceof Float32Array) wasm.scaleFloat32(alpha, x.byteOffset, x.length)
      else wasm.scaleFloat64(alpha, x.byteOffset, x.length)
    },
    dot(x, y) {
      requireHere('dot', x, y)
      requireSameKind('dot', x, y)
      requireSameLength('dot', x, y)
      if (x instanceof Float32Array) return wasm.dotFloat32(x.byteOffset, y.byteOffset, x.length)
      return wasm.dotFloat64(x.byteOffset, y.byteOffset, x.length)
    },
    sum(x) {
      requireHere('sum', x)
      return x instanceof Float32Array ? wasm.sumFloat32(x.byteOffset, x.length) : wasm.sumFloat64(x.byteOffset, x.length)
    },
    max(x) {
      requireHere('max', x)
      return x instanceof Float32Array ? wasm.maxFloat32(x.byteOffset, x.length) : wasm.maxFloat64(x.byteOffset, x.length)
    },

    sgd(w, g, learningRate, decay) {
      requireHere('sgd', w, g)
      requireSameLength('sgd', w, g)
      wasm.sgd(w.byteOffset, g.byteOffset, w.length, learningRate, decay)
    },
    momentum(w, g, v, learningRate, momentum, decay, nesterov) {
      requireHere('momentum', w, g, v)
      requireSameLength('momentum', w, g, v)
      wasm.momentum(w.byteOffset, g.byteOffset, v.byteOffset, w.length, learningRate, momentum, decay, nesterov ? 1 : 0)
    },
    adam(w, g, m, v, learningRate, beta1, beta2, epsilon, step, decay, decoupled) {
      requireHere('adam', w, g, m, v)
      requireSameLength('adam', w, g, m, v)
      const c = adamConstants(learningRate, beta1, beta2, epsilon, step, decay, decoupled)
      wasm.adam(
        w.byteOffset,
        g.byteOffset,
        m.byteOffset,
        v.byteOffset,
        w.length,
        c.beta1,
        c.keep1,
        c.beta2,
        c.keep2,
        c.epsilon,
        c.stepSize,
        c.root,
        c.decay,
        c.shrink,
      )
    },
    adamDirection(w, g, m, v, beta1, beta2, epsilon, step, decay) {
      requireHere('adamDirection', w, g, m, v)
      requireSameLength('adamDirection', w, g, m, v)
      const c = adamConstants(1, beta1, beta2, epsilon, step, 0, false)
      const [wAt, gAt, mAt, vAt] = [w.byteOffset, g.byteOffset, m.byteOffset, v.byteOffset]
      wasm.adamDirection(wAt, gAt, mAt, vAt, w.length, c.beta1, c.keep1, c.beta2, c.keep2, c.epsilon, c.stepSize, c.root, decay)
    },
    adagrad(w, g, a, learningRate, epsilon, decay) {
      requireHere('adagrad', w, g, a)
      requireSameLength('adagrad', w, g, a)
      wasm.adagrad(w.byteOffset, g.byteOffset, a.byteOffset, w.length, learningRate, epsilon, decay)
    },
    addRows(values, rows, width, into) {
      requireHere('addRows', values, rows, into)
      requireRowUses('addRows', values, rows, width, into)
      const numRows = into.length / width
      const done = wasm.addRows(values.byteOffset, rows.byteOffset, rows.length, width, into.byteOffset, numRows)
      if (done < rows.length) refuseRow(rows[done] as number, numRows)
    },
    clearRows(rows, width, into) {
      requireHere('clearRows', rows, into)
      wasm.clearRows(rows.byteOffset, rows.length, width, into.byteOffset)
    },
    sgdRows(w, g, rows, width, learningRate) {
      requireHere('sgdRows', w, g, rows)
      requireSameLength('sgdRows', w, g)
      wasm.sgdRows(w.byteOffset, g.byteOffset, rows.byteOffset, rows.length, width, learningRate)
    },
    adagradRows(w, g, a, rows, width, learningRate, epsilon) {
      requireHere('adagradRows', w, g, a, rows)
      requireSameLength('adagradRows', w, g, a)
      wasm.adagradRows(w.byteOffset, g.byteOffset, a.byteOffset, rows.byteOffset, rows.length, width, learningRate, epsilon)
    },
    rmsprop(w, g, square, average, velocity, { learningRate, rho, epsilonInside, epsilonOutside, momentum, decay }) {
      for (const array of [w, g, square, average, velocity]) {
        if (array === undefined) continue
        requireHere('rmsprop', array)
        requireSameLength('rmsprop', w, array)
      }
      const [averageAt, velocityAt] = [average?.byteOffset ?? 0, velocity?.byteOffset ?? 0]
      const keep = 1 - rho
      wasm.rmsprop(
        w.byteOffset,
        g.byteOffset,
        square.byteOffset,
        averageAt,
        velocityAt,
        w.length,
        learningRate,
        rho,
        keep,
        epsilonInside,
        epsilonOutside,
        momentum,
        decay,
      )
    },
    flipShift(images, shape, moves, fill, scratch) {
      requireHere('flipShift', images, moves, scratch)
      const [channels, height, width] = shape
      const n = moves.length / 3
      requireRoom('flipShift', 'images', images, n * channels * height * width)
      requireRoom('flipShift', 'scratch', scratch, height * width)
      wasm.flipShift(images.byteOffset, n, channels, height, width, moves.byteOffset, fill, scratch.byteOffset)
    },
    clamp(x, limit) {
      requireHere('clamp', x)
      wasm.clamp(x.byteOffset, x.length, limit)
    },

    gather(source, rows, width, into, scale, shift) {
      requireHere('gather', source, rows, into)
      requireRoom('gather', 'into', into, rows.length * width)
      const kernel = source instanceof Uint8Array ? wasm.gatherBytes : wasm.gatherFloats
      kernel(source.byteOffset, rows.byteOffset, rows.length, width, into.byteOffset, scale, shift)
    },
    gatherInt32(source, rows, into) {
      requireHere('gatherInt32', source, rows, into)
      const width = requireRows('gatherInt32', 'into', into, rows.length)
      const kernel = source instanceof Uint8Array ? wasm.gatherByteWords : wasm.gatherWords
      kernel(source.byteOffset, rows.byteOffset, rows.length, width, into.byteOffset)
    },

    survey(rows, start, end, d, records) {
      requireHere('survey', rows, records)
      requireRange('survey', start, end, Math.floor(rows.length / d))
      requireRoom('survey', 'records', records, surveyBytes(end - start, d))
      const kernel = rows instanceof Uint8Array ? wasm.surveyBytes : wasm.surveyFloats
      let squares = 0
      for (let row = start; row < end; row += rowsPerCall) {
        const into = records.byteOffset + surveyBytes(row - start, d)
        squares += kernel(rows.byteOffset, row, Math.min(end, row + rowsPerCall), d, into)
      }
      return { start, end, d, records, squares }
    },
    lloyd(rows, scale, survey, centers, k, sums, counts, labels, scratch) {
      const { start, end, d, records, squares } = survey
      requireHere('lloyd', rows, records, centers, sums, counts, scratch)
      requireRange('lloyd', start, end, Math.floor(rows.length / d))
      requireRoom('lloyd', 'centers', centers, k * d)
      requireRoom('lloyd', 'sums', sums, k * d)
      requireRoom('lloyd', 'counts', counts, k)
      requireRoom('lloyd', 'scratch', scratch, lloydScratchBytes(k, d))
      requireShape(k > 0, 'lloyd', () => `expected at least one centre, got ${k}`)
      const bytes = rows instanceof Uint8Array
      const factor = bytes ? scale : 1
      if (d > widestRow || !(factor !== 0 && Number.isFinite(factor))) {
        return plainKernels.lloyd(rows, scale, survey, centers, k, sums, counts, labels, scratch)
      }
      if (labels.length > 0) {
        requireHere('lloyd', labels)
        requireRoom('lloyd', 'labels', labels, end)
      }
      const at = scratch.byteOffset
      const labelsAt = labels.length > 0 ? labels.byteOffset : 0
      wasm.lloydPrepare(
        at,
        centers.byteOffset,
        k,
        d,
        sums.byteOffset,
        counts.byteOffset,
        labelsAt,
        records.byteOffset,
        start,
        factor,
        bytes ? 1 : 0,
      )
      const kernel = bytes ? wasm.lloydBytes : wasm.lloydFloats
      for (let row = start; row < end; row += rowsPerCall) kernel(at, rows.byteOffset, row, Math.min(end, row + rowsPerCall))
      // Rounding can leave a trace below zero where every row is its own centre; NaN stays.
      const inertia = wasm.lloydFinish(at, squares, bytes ? 1 : 0)
      return inertia < 0 ? 0 : inertia
    },
    nearer(rows, scale, start, end, center, d, distances) {
      requireHere('nearer', rows, center, distances)
      requireRange('nearer', start, end, Math.floor(rows.length / d))
      requireRoom('nearer', 'center', center, d)
      requireRoom('nearer', 'distances', distances, end - start)
      if (rows instanceof Uint8Array)
        return wasm.nearerBytes(rows.byteOffset, scale, start, end, center.byteOffset, d, distances.byteOffset)
      return wasm.nearerFloats(rows.byteOffset, start, end, center.byteOffset, d, distances.byteOffset)
    },
    gram(rows, targets, start, end, d, gram, sums, scratch) {
      requireHere('gram', rows, targets, gram, sums, scratch)
      requireSameKind('gram', rows, targets)
      requireRange('gram', start, end, Math.min(targets.length, Math.floor(rows.length / d)))
      requireRoom('gram', 'gram', gram, (d + 1) ** 2)
      requireRoom('gram', 'sums', sums, d + 1)
      requireRoom('gram', 'scratch', scratch, gramScratchBytes(d))
      const kernel = rows instanceof Float32Array ? wasm.gramFloat32 : wasm.gramFloat64
      for (let row = start; row < end; row += rowsPerCall) {
        const last = Math.min(end, row + rowsPerCall)
        kernel(rows.byteOffset, targets.byteOffset, row, last, d, gram.byteOffset, sums.byteOffset, scratch.byteOffset)
      }
    },

    philox(seed, stream, row, first, into) {
      requireHere('philox', into)
      wasm.philox(seed, stream, row % two32, Math.floor(row / two32), first, into.byteOffset, into.length)
    },
    dropoutMask(seed, stream, step, samples, width, keepProbability, into) {
      requireHere('dropoutMask', samples, into)
      requireRoom('dropoutMask', 'into', into, samples.length * width)
      // (word + ½)/2³² < keepProbability, as a comparison of whole numbers.
      const threshold = Math.ceil(keepProbability * two32 - 0.5)
      if (threshold >= two32) into.fill(1 / keepProbability, 0, samples.length * width)
      else {
        const value = 1 / keepProbability
        wasm.dropoutMask(seed, stream, step, samples.byteOffset, samples.length, width, threshold, value, into.byteOffset)
      }
    },
  }
}
