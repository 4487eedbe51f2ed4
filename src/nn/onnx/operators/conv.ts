/** Convolutions. */
import type { Value } from '../../../graph/builder.ts'
import type { Reader, Step } from '../step.ts'
import { asImage, fromImage, padded, widened, windowOf } from './window.ts'

/** The filter, with a height of 1 over a line, and its spatial extents as the file has them. */
function filterOf(step: Step): { readonly filter: Value; readonly kernel: readonly number[] } {
  const shape = step.shape(1).map(Number)
  const [kernel, isLine] = [shape.slice(2), shape.length === 3]
  const filter = step.parameter(1, 'weight', { shape: [...shape.slice(0, 2), ...widened(kernel, isLine, 1)] })
  return { filter, kernel }
}

/** A convolution; padding that differs from side to side is added before. */
export const conv: Reader = (step) => {
  const x = asImage(step, step.value(0))
  const { filter, kernel } = filterOf(step)
  const window = windowOf(step, x, kernel)
  const { image, padding } = padded(step, x, window)
  const inputs = [image, filter, ...(step.has(2) ? [step.parameter(2, 'bias')] : [])]
  const { stride, dilation } = window
  return fromImage(step, step.add('conv', inputs, { stride, padding, dilation, groups: step.attributes.int('group', 1) }), window)
}

/** A transposed convolution: the input gradient of a convolution, with a bias. */
export const convTranspose: Reader = (step) => {
  const x = asImage(step, step.value(0))
  const { filter, kernel } = filterOf(step)
  step.attributes.require('auto_pad', 'NOTSET', ['NOTSET', 'VALID'])
  const { stride, dilation, before, after, isLine, ...window } = windowOf(step, x, kernel)
  const rest = widened(step.attributes.ints('output_padding') ?? kernel.map(() => 0), isLine, 0)
  const wanted = step.attributes.ints('output_shape')
  if (wanted !== undefined) throw step.fault('asks for an output shape', 'output_padding', `[${wanted.join(', ')}]`)
  // Without padding the whole reach is computed; what padding would have cut off is cut off behind it, side by side.
  const isEven = before.every((extent, d) => extent === after[d])
  const padding = isEven ? before : before.map(() => 0)
  const size = window.size.map((extent, d) => {
    const reach = ((window.kernel[d] as number) - 1) * (dilation[d] as number) + 1
    return (extent - 1) * (stride[d] as number) + reach - 2 * (padding[d] as number) + (rest[d] as number)
  })
  const groups = step.attributes.int('group', 1)
  const whole = step.add('convInputGradient', [filter, x], { stride, padding, dilation, groups, size })
  const cut = isEven
    ? whole
    : before.reduce((value, start, d) => sliced(step, value, d + 2, start, (size[d] as number) - (after[d] as number)), whole)
  if (!step.has(2)) return fromImage(step, cut, { isLine })
  const channels = cut.shape[1] as number
  const bias = step.reshape(step.parameter(2, 'bias'), [channels, ...size.map(() => 1)])
  return fromImage(step, step.add('add', [cut, bias], {}), { isLine })
}

function sliced(step: Step, value: Value, dim: number, start: number, end: number): Value {
  return start === 0 && end === value.shape[dim] ? value : step.add('slice', [value], { dim, start, end })
}
