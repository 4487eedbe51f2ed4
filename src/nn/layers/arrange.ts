import { ConfigError, ShapeError } from '../../errors.ts'
import { elementsPerSample, formatShape, perSample, timesBatch } from '../../graph/graph.ts'
import type { Dim, Shape } from '../../graph/graph.ts'
import { shown } from '../../option-checks.ts'
import { requireTensor } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import { nameLayer, requireIntegers } from './options.ts'
import type { LayerOptions } from './options.ts'

/** All dims of a sample in one: `[batch, …]` → `[batch, product]`. */
export function flatten(x: Tensor, options: LayerOptions = {}): Tensor {
  requireTensor('flatten', x)
  return rearrange(x, 'flatten', [elementsPerSample(x.shape)], options)
}

/** The same elements with other extents: `shape` is that of one sample, without the batch. */
export function reshape(x: Tensor, shape: readonly number[], options: LayerOptions = {}): Tensor {
  return rearrange(x, 'reshape', shape, options)
}

function rearrange(x: Tensor, kind: string, sample: readonly number[], options: LayerOptions): Tensor {
  const layer = nameLayer(x, kind, options)
  requireIntegers(layer, 'shape', sample)
  const shape: Shape = [x.shape[0] as Dim, ...sample]
  return x.builder.add('reshape', [x], { shape }, layer)
}

/**
 * One row for each position of a sequence: `[batch, steps, features]` → `[batch*steps, features]`. A cross-entropy over the positions takes
 * scores in this form.
 * @throws {ShapeError} SHAPE unless x is a sequence
 */
export function rows(x: Tensor, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'rows', options)
  const [batch, steps, features] = x.shape
  if (x.shape.length !== 3 || batch === undefined || typeof steps !== 'number' || features === undefined) {
    throw new ShapeError(`${layer}: rows takes a sequence — expected [batch, steps, features], got ${formatShape(x.shape)}`)
  }
  return x.builder.add('reshape', [x], { shape: [timesBatch(steps * perSample(batch)), features] }, layer)
}

/** Dim d of the result is dim `permutation[d]` of x; the batch counts as dim 0. */
export function transpose(x: Tensor, permutation: readonly number[], options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'transpose', options)
  requireIntegers(layer, 'permutation', permutation)
  return x.builder.add('transpose', [x], { permutation }, layer)
}

/** Tensors one after the other along `dim` (the batch is dim 0, and stays whole). */
export function concat(tensors: readonly [Tensor, ...Tensor[]], dim: number, options: LayerOptions = {}): Tensor {
  if (!Array.isArray(tensors))
    throw new ConfigError(`concat: the tensors cannot be joined — expected an array of tensors, got ${shown(tensors)}`)
  const [first] = tensors
  requireTensor('concat', first)
  const layer = nameLayer(first, 'concat', options)
  return first.builder.add('concat', tensors, { dim }, layer)
}

/** Positions `start` to `end` − 1 along `dim` (the batch is dim 0, and stays whole). */
export function slice(x: Tensor, dim: number, start: number, end: number, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'slice', options)
  return x.builder.add('slice', [x], { dim, start, end }, layer)
}
