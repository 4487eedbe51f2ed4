/**
 * Two-dimensional convolution (cross-correlation, as everywhere in deep learning) and its two gradients, which are operators of
 * their own, so that each is lowered in its own best way.
 */
import { ShapeError } from '../../errors.ts'
import { formatShape } from '../graph.ts'
import type { Dim, TensorType } from '../graph.ts'
import type { OpAttributes, Pair, WindowAttributes } from './attributes.ts'
import { requireFloat } from './elementwise.ts'
import { requireRank } from './require-shape.ts'
import { float32 } from './rule.ts'
import type { OpRule, ReferenceTensor } from './rule.ts'
import { forEachTap, imageSize, windowPositions } from './window.ts'
import {
  conv2dWants,
  filterGradientWants,
  inputGradientWants,
  lowerConv2d,
  lowerFilterGradient,
  lowerInputGradient,
  tileConv2d,
  tileInputGradient,
} from './conv2d-lowering.ts'

/** Visits every product of a convolution: indices into the image, the filter and the result. */
function forEachProduct(
  image: readonly number[],
  filter: readonly number[],
  result: readonly number[],
  attrs: WindowAttributes,
  visit: (image: number, filter: number, result: number) => void,
): void {
  const [samples, channels, height, width] = image as [number, number, number, number]
  const [filters, , kernelHeight, kernelWidth] = filter as [number, number, number, number]
  const size: Pair = [height, width]
  const kernel: Pair = [kernelHeight, kernelWidth]
  const positions: Pair = [result[2] as number, result[3] as number]
  const [pixels, taps, places] = [height * width, kernelHeight * kernelWidth, positions[0] * positions[1]]
  for (let n = 0; n < samples; n++) {
    for (let o = 0; o < filters; o++) {
      for (let c = 0; c < channels; c++) {
        forEachTap(size, kernel, positions, attrs, (position, tap, pixel) => {
          visit((n * channels + c) * pixels + pixel, (o * channels + c) * taps + tap, (n * filters + o) * places + position)
        })
      }
    }
  }
}

/** `[batch, in, h, w]` * `[out, in, kh, kw]` + `[out]` → `[batch, out, h', w']`; the bias is optional. */
export const conv2d: OpRule<OpAttributes['conv2d']> = {
  arity: [2, 3],
  infer(inputs, attrs, { layer }) {
    requireFloat(inputs, layer)
    const [image, filter, bias] = inputs as [TensorType, TensorType, TensorType?]
    requireRank(4, image.shape, layer, 'batch, channels, height, width')
    requireRank(4, filter.shape, layer, 'out channels, in channels, height, width')
    const [filters, channels] = filter.shape as [Dim, Dim]
    if (channels !== image.shape[1]) {
      throw new ShapeError(`${layer}: the filter has another number of channels — expected ${image.shape[1]}, got ${channels}`)
    }
    if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== filters)) {
      throw new ShapeError(`${layer}: the bias has another shape — expected [${filters}], got ${formatShape(bias.shape)}`)
    }
    return float32([
      image.shape[0] as Dim,
      filters,
      ...windowPositions(imageSize(image.shape, layer), imageSize(filter.shape, layer), attrs, layer),
    ])
  },
  gradient({ add, inputs, upstream, attrs, needs }) {
    const [image, filter] = inputs as [(typeof inputs)[0], (typeof inputs)[0]]
    const gradient = []
    gradient[2] = needs(2) ? add('reduceSum', [upstream], { dims: [0, 2, 3] }) : undefined
    if (needs(1)) {
      gradient[1] = add('conv2dFilterGradient', [image, upstream], { ...attrs, kernel: imageSize(filter.shape, 'conv2d') })
    }
    if (needs(0)) {
      gradient[0] = add('conv2dInputGradient', [filter, upstream], { ...attrs, size: imageSize(image.shape, 'conv2d') })
    }
    return gradient
  },
  layout: tileConv2d,
  wants: conv2dWants,
  lower: lowerConv2d,
  evaluate({ inputs, shape, attrs }) {
    const [image, filter, bias] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor?]
    const result = new Float64Array(shape.reduce((product, dim) => product * dim, 1))
    if (bias !== undefined) {
      const places = (shape[2] as number) * (shape[3] as number)
      result.forEach((_, i) => {
        result[i] = bias.data[Math.floor(i / places) % bias.data.length] as number
      })
    }
    forEachProduct(image.shape, filter.shape, shape, attrs, (x, w, y) => {
      result[y] = (result[y] as number) + (image.data[x] as number) * (filter.data[w] as number)
    })
    return result
  },
  flopsPerSample([, filter, bias], type) {
    const [, filters, height, width] = type.shape as [Dim, number, number, number]
    const [, channels, kernelHeight, kernelWidth] = (filter as TensorType).shape as [number, number, number, number]
    const places = filters * height * width
    return 2 * places * channels * kernelHeight * kernelWidth + (bias === undefined ? 0 : places)
  },
}

/** dL/dx from the filter and dL/dy; `size` is the height and width of x. */
export const conv2dInputGradient: OpRule<OpAttributes['conv2dInputGradient']> = {
  arity: [2, 2],
  infer(inputs, { size }, { layer }) {
    requireFloat(inputs, layer)
    const [filter, upstream] = inputs as [TensorType, TensorType]
    return float32([upstream.shape[0] as Dim, filter.shape[1] as Dim, ...size])
  },
  layout: tileInputGradient,
  wants: inputGradientWants,
  lower: lowerInputGradient,
  evaluate({ inputs, shape, attrs }) {
    const [filter, upstream] = inputs as [ReferenceTensor, ReferenceTensor]
    const result = new Float64Array(shape.reduce((product, dim) => product * dim, 1))
    forEachProduct(shape, filter.shape, upstream.shape, attrs, (x, w, y) => {
      result[x] = (result[x] as number) + (filter.data[w] as number) * (upstream.data[y] as number)
    })
    return result
  },
}

/** dL/dw from x and dL/dy; `kernel` is the height and width of the filter. */
export const conv2dFilterGradient: OpRule<OpAttributes['conv2dFilterGradient']> = {
  arity: [2, 2],
  infer(inputs, { kernel }, { layer }) {
    requireFloat(inputs, layer)
    const [image, upstream] = inputs as [TensorType, TensorType]
    return float32([upstream.shape[1] as Dim, image.shape[1] as Dim, ...kernel])
  },
  wants: filterGradientWants,
  lower: lowerFilterGradient,
  evaluate({ inputs, shape, attrs }) {
    const [image, upstream] = inputs as [ReferenceTensor, ReferenceTensor]
    const result = new Float64Array(shape.reduce((product, dim) => product * dim, 1))
    forEachProduct(image.shape, shape, upstream.shape, attrs, (x, w, y) => {
      result[w] = (result[w] as number) + (image.data[x] as number) * (upstream.data[y] as number)
    })
    return result
  },
}
