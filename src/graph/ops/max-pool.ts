/** Maximum over windows, and its gradient. */
import { elementCount } from '../graph.ts'
import type { TensorType } from '../graph.ts'
import type { OpAttributes, PoolAttributes } from './attributes.ts'
import { forEachWindowPixel, inferPool, onnxPool } from './pool-window.ts'
import { float32 } from './rule.ts'
import type { LowerContext, OpRule, ReferenceTensor } from './rule.ts'

/** Largest pixel of every window, the first one among equals; padding is never chosen. */
export const maxPool: OpRule<OpAttributes['maxPool']> = {
  arity: [1, 1],
  infer: inferPool,
  gradient: ({ add, inputs, upstream, attrs }) => [add('maxPoolGradient', [inputs[0] as (typeof inputs)[0], upstream], attrs)],
  lower: (context) =>
    context.usedBy('maxPoolGradient', 0) ? maxPoolWithPlaces(context)[0] : context.emit('MaxPool', context.inputs, onnxPool(context.attrs)),
  evaluate({ inputs, shape, attrs }) {
    const image = inputs[0] as ReferenceTensor
    return placesOfMaxima(image, shape, attrs).map((pixel) => image.data[pixel] as number)
  },
}

/** dL/dx of the maximum from x and dL/dy: goes to the pixel that was chosen. */
export const maxPoolGradient: OpRule<OpAttributes['maxPoolGradient']> = {
  arity: [2, 2],
  infer: (inputs) => float32((inputs[0] as TensorType).shape),
  lower(context) {
    const { emit, inputs, constant, type } = context
    const [, places] = maxPoolWithPlaces(context)
    const shape = type.shape.map(Number)
    const flat = (name: string): string => emit('Reshape', [name, constant([-1], [1], 'int64')])
    const zeros = emit('Expand', [constant([0], [1], 'float32'), constant([elementCount(shape)], [1], 'int64')])
    // Overlapping windows may choose the same pixel: add.
    const scattered = emit('ScatterElements', [zeros, flat(places), flat(inputs[1] as string)], { axis: 0, reduction: 'add' })
    return emit('Reshape', [scattered, constant(shape, [shape.length], 'int64')])
  },
  evaluate({ inputs, shape, attrs }) {
    const [image, upstream] = inputs as [ReferenceTensor, ReferenceTensor]
    const result = new Float64Array(elementCount(shape))
    placesOfMaxima(image, upstream.shape, attrs).forEach((pixel, position) => {
      result[pixel] = (result[pixel] as number) + (upstream.data[position] as number)
    })
    return result
  },
}

/** ONNX's MaxPool with both of its outputs: maxima, and their numbers in the whole input tensor. */
function maxPoolWithPlaces({ emitMany, inputs, attrs, shared }: LowerContext<PoolAttributes>): [string, string] {
  const image = inputs[0] as string
  const key = `max pool ${image} ${JSON.stringify(attrs)}`
  return shared(key, () => emitMany('MaxPool', [image], onnxPool(attrs), 2) as [string, string])
}

function placesOfMaxima(image: ReferenceTensor, pooled: readonly number[], attrs: PoolAttributes): Float64Array {
  const places = new Float64Array(elementCount(pooled)).fill(-1)
  forEachWindowPixel(image.shape, pooled, attrs, (position, pixel) => {
    const best = places[position] as number
    if (best < 0 || (image.data[pixel] as number) > (image.data[best] as number)) places[position] = pixel
  })
  return places
}
