import type { Dim, Shape } from '../../graph/graph.ts'
import { elementsPerSample } from '../../graph/graph.ts'
import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import type { LayerOptions } from './options.ts'

/** All dims of a sample in one: `[batch, …]` → `[batch, product]`. */
export function flatten(x: Tensor, options: LayerOptions = {}): Tensor {
  return rearrange(x, 'flatten', [elementsPerSample(x.shape)], options)
}

/** The same elements with other extents: `shape` is that of one sample, without the batch. */
export function reshape(x: Tensor, shape: readonly number[], options: LayerOptions = {}): Tensor {
  return rearrange(x, 'reshape', shape, options)
}

function rearrange(x: Tensor, kind: string, sample: readonly number[], options: LayerOptions): Tensor {
  const shape: Shape = [x.shape[0] as Dim, ...sample]
  return x.builder.add('reshape', [x], { shape }, traceOf(x).layer(kind, options.name))
}
