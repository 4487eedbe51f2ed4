/**
 * Convolution (cross-correlation, as everywhere in deep learning) over two or three spatial dims, and its two gradients, which are operators
 * of their own, so that each is lowered in its own best way. Used forwards, the input gradient is the "transposed convolution". The three are
 * linear in each operand and are each other's gradients.
 */
import { ShapeError } from '../../errors.ts'
import { elementCount, formatShape } from '../graph.ts'
import type { Value } from '../builder.ts'
import type { Dim, TensorType } from '../graph.ts'
import type { ConvAttributes, OpAttributes } from './attributes.ts'
import { requireFloat } from './elementwise.ts'
import { requireRank } from './require-shape.ts'
import { float32 } from './rule.ts'
import type { GradientContext, OpRule, ReferenceTensor } from './rule.ts'
import { imageSize, requireImage, windowPositions, windowTaps } from './window.ts'
import { convWants, filterGradientWants, inputGradientWants, lowerConv, tileConv, tileInputGradient } from './conv-lowering.ts'
import { lowerFilterGradient } from './conv-filter-gradient-lowering.ts'
import { lowerInputGradient } from './conv-input-gradient-lowering.ts'

/** Visits every product of a convolution: indices into the image, the filter and the result. */
function forEachProduct(
  image: readonly number[],
  filter: readonly number[],
  result: readonly number[],
  attrs: ConvAttributes,
  visit: (image: number, filter: number, result: number) => void,
): void {
  const [samples, channels, ...size] = image as [number, number, ...number[]]
  const [filters, depth, ...kernel] = filter as [number, number, ...number[]]
  const positions = result.slice(2)
  const [pixels, elements, places] = [elementCount(size), elementCount(kernel), elementCount(positions)]
  const taps = windowTaps(size, kernel, positions, attrs)
  for (let n = 0; n < samples; n++) {
    for (let o = 0; o < filters; o++) {
      // The filters of a group see the channels of that group.
      const first = Math.floor(o / (filters / attrs.groups)) * depth
      for (let c = 0; c < depth; c++) {
        const [plane, filterPlane, resultPlane] = [
          (n * channels + first + c) * pixels,
          (o * depth + c) * elements,
          (n * filters + o) * places,
        ]
        for (const { position, tap, pixel } of taps) visit(plane + pixel, filterPlane + tap, resultPlane + position)
      }
    }
  }
}

/** What remains of attributes that also hold a size. */
function plain({ stride, padding, dilation, groups }: ConvAttributes): ConvAttributes {
  return { stride, padding, dilation, groups }
}

/** Filter and image agree with the attributes. @throws {ShapeError} SHAPE naming the layer */
function requireFilter(filter: TensorType, channels: Dim | undefined, attrs: ConvAttributes, layer: string): void {
  const spatial = attrs.stride.length
  requireRank(spatial + 2, filter.shape, layer, `out channels, in channels of a group, ${spatial === 3 ? 'depth, ' : ''}height, width`)
  const [filters, depth] = filter.shape as [number, number]
  if (filters % attrs.groups !== 0) {
    throw new ShapeError(`${layer}: the groups do not divide the filters — expected a divisor of ${filters}, got ${attrs.groups}`)
  }
  if (depth * attrs.groups !== channels) {
    const ofGroups = attrs.groups === 1 ? '' : ` in ${attrs.groups} groups`
    throw new ShapeError(
      `${layer}: the filter has another number of channels — expected ${channels}${ofGroups}, got ${depth * attrs.groups}`,
    )
  }
}

type ConvGradient = GradientContext<ConvAttributes>

function filterGradientOf({ add, attrs }: ConvGradient, image: Value, upstream: Value, filter: Value): Value {
  return add('convFilterGradient', [image, upstream], { ...plain(attrs), kernel: imageSize(filter.shape, 'conv') })
}

function inputGradientOf({ add, attrs }: ConvGradient, filter: Value, upstream: Value, image: Value): Value {
  return add('convInputGradient', [filter, upstream], { ...plain(attrs), size: imageSize(image.shape, 'conv') })
}

/** `[batch, in, …]` * `[out, in/groups, …]` + `[out]` → `[batch, out, …]`; the bias is optional. */
export const conv: OpRule<OpAttributes['conv']> = {
  arity: [2, 3],
  infer(inputs, attrs, { layer }) {
    requireFloat(inputs, layer)
    const [image, filter, bias] = inputs as [TensorType, TensorType, TensorType?]
    requireImage(image.shape, attrs, layer)
    requireFilter(filter, image.shape[1], attrs, layer)
    const filters = filter.shape[0] as Dim
    if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== filters)) {
      throw new ShapeError(`${layer}: the bias has another shape — expected [${filters}], got ${formatShape(bias.shape)}`)
    }
    const positions = windowPositions(imageSize(image.shape, layer), imageSize(filter.shape, layer), attrs, layer)
    return float32([image.shape[0] as Dim, filters, ...positions])
  },
  gradient(context) {
    const { add, inputs, upstream, needs } = context
    const [image, filter] = inputs as [Value, Value]
    const dims = upstream.shape.map((_, d) => d).filter((d) => d !== 1)
    const bias = needs(2) ? add('reduceSum', [upstream], { dims }) : undefined
    const ofFilter = needs(1) ? filterGradientOf(context, image, upstream, filter) : undefined
    return [needs(0) ? inputGradientOf(context, filter, upstream, image) : undefined, ofFilter, bias]
  },
  layout: tileConv,
  wants: convWants,
  lower: lowerConv,
  evaluate({ inputs, shape, attrs }) {
    const [image, filter, bias] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor?]
    const result = new Float64Array(elementCount(shape))
    if (bias !== undefined) {
      const places = elementCount(shape.slice(2))
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
    const places = elementCount(type.shape.slice(1).map(Number))
    return 2 * places * elementCount((filter as TensorType).shape.slice(1).map(Number)) + (bias === undefined ? 0 : places)
  },
}

/** dL/dx from the filter and dL/dy; `size` holds the spatial extents of x. */
export const convInputGradient: OpRule<OpAttributes['convInputGradient']> = {
  arity: [2, 2],
  infer(inputs, attrs, { layer }) {
    requireFloat(inputs, layer)
    const [filter, upstream] = inputs as [TensorType, TensorType]
    requireImage(upstream.shape, attrs, layer)
    const channels = Number(filter.shape[1]) * attrs.groups
    requireFilter(filter, channels, attrs, layer)
    if (upstream.shape[1] !== filter.shape[0]) {
      throw new ShapeError(`${layer}: the filter has another number of channels — expected ${upstream.shape[1]}, got ${filter.shape[0]}`)
    }
    const positions = windowPositions(attrs.size, imageSize(filter.shape, layer), attrs, layer)
    if (positions.some((extent, d) => extent !== upstream.shape[2 + d])) {
      const got = imageSize(upstream.shape, layer).join(', ')
      throw new ShapeError(`${layer}: the size fits another input — expected [${positions.join(', ')}] positions, got [${got}]`)
    }
    return float32([upstream.shape[0] as Dim, channels, ...attrs.size])
  },
  gradient(context) {
    const { add, inputs, upstream, attrs, needs } = context
    const [filter, value] = inputs as [Value, Value]
    return [
      needs(0) ? filterGradientOf(context, upstream, value, filter) : undefined,
      needs(1) ? add('conv', [upstream, filter], plain(attrs)) : undefined,
    ]
  },
  layout: tileInputGradient,
  wants: inputGradientWants,
  lower: lowerInputGradient,
  evaluate({ inputs, shape, attrs }) {
    const [filter, upstream] = inputs as [ReferenceTensor, ReferenceTensor]
    const result = new Float64Array(elementCount(shape))
    forEachProduct(shape, filter.shape, upstream.shape, attrs, (x, w, y) => {
      result[x] = (result[x] as number) + (filter.data[w] as number) * (upstream.data[y] as number)
    })
    return result
  },
  flopsPerSample([filter, upstream]) {
    const places = elementCount((upstream as TensorType).shape.slice(1).map(Number))
    return 2 * places * elementCount((filter as TensorType).shape.slice(1).map(Number))
  },
}

/** dL/dw from x and dL/dy; `kernel` holds the spatial extents of the filter. */
export const convFilterGradient: OpRule<OpAttributes['convFilterGradient']> = {
  arity: [2, 2],
  infer(inputs, attrs, { layer }) {
    requireFloat(inputs, layer)
    const [image, upstream] = inputs as [TensorType, TensorType]
    requireImage(image.shape, attrs, layer)
    return float32([upstream.shape[1] as Dim, Number(image.shape[1]) / attrs.groups, ...attrs.kernel])
  },
  gradient(context) {
    const { add, inputs, upstream, attrs, needs } = context
    const [image, value] = inputs as [Value, Value]
    return [
      needs(0) ? inputGradientOf(context, upstream, value, image) : undefined,
      needs(1) ? add('conv', [image, upstream], plain(attrs)) : undefined,
    ]
  },
  wants: filterGradientWants,
  lower: lowerFilterGradient,
  evaluate({ inputs, shape, attrs }) {
    const [image, upstream] = inputs as [ReferenceTensor, ReferenceTensor]
    const result = new Float64Array(elementCount(shape))
    forEachProduct(image.shape, shape, upstream.shape, attrs, (x, w, y) => {
      result[w] = (result[w] as number) + (image.data[x] as number) * (upstream.data[y] as number)
    })
    return result
  },
}
