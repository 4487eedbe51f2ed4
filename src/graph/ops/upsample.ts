/** Every pixel several times: the nearest neighbour of an image that is a whole number of times as large. */
import { elementCount } from '../graph.ts'
import type { Dim, TensorType } from '../graph.ts'
import type { OpAttributes } from './attributes.ts'
import { forEachWindowPixel } from './pool-window.ts'
import { requireFloat } from './elementwise.ts'
import { float32 } from './rule.ts'
import type { OpRule, ReferenceTensor } from './rule.ts'
import { imageSize, requireImage } from './window.ts'

/** `[batch, c, h, w]` → `[batch, c, factor·h, factor·w]`, or with three spatial dims. */
export const upsample: OpRule<OpAttributes['upsample']> = {
  arity: [1, 1],
  infer(inputs, { factor }, { layer }) {
    requireFloat(inputs, layer)
    const { shape } = inputs[0] as TensorType
    requireImage(shape, { stride: factor, padding: factor }, layer)
    const size = imageSize(shape, layer).map((extent, d) => extent * (factor[d] as number))
    return float32([shape[0] as Dim, shape[1] as Dim, ...size])
  },
  // The sum over the copies of a pixel: their mean, as often as there are copies.
  gradient: ({ add, upstream, attrs: { factor } }) => [
    add('scale', [add('avgPool', [upstream], { kernel: factor, stride: factor, padding: factor.map(() => 0) })], {
      factor: elementCount(factor),
    }),
  ],
  lower: ({ emit, inputs, constant, attrs }) =>
    emit('Resize', [inputs[0] as string, '', constant([1, 1, ...attrs.factor], [attrs.factor.length + 2], 'float32')], {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    }),
  evaluate({ inputs, shape, attrs: { factor } }) {
    const small = inputs[0] as ReferenceTensor
    const result = new Float64Array(elementCount(shape))
    const window = { kernel: factor, stride: factor, padding: factor.map(() => 0) }
    forEachWindowPixel(shape, small.shape, window, (position, pixel) => {
      result[pixel] = small.data[position] as number
    })
    return result
  },
}
