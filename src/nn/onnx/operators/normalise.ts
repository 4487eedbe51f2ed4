/** Normalisations. */
import type { Value } from '../../../graph/builder.ts'
import { elementCount, formatShape } from '../../../graph/graph.ts'
import type { Dim } from '../../../graph/graph.ts'
import { axisOf } from '../fold.ts'
import { isFoldable } from '../operand.ts'
import type { Reader, Step } from '../step.ts'

/** With running statistics, which follow the batches when the model is trained. A file's momentum is the share of the old ones. */
export const batchNormalization: Reader = (step) => {
  const { attributes } = step
  const x = step.value(0)
  const inputs = [x, step.parameter(1, 'gain'), step.parameter(2, 'bias'), step.parameter(3, 'mean'), step.parameter(4, 'variance')]
  const share = 1 - attributes.float('momentum', 0.9)
  // The file holds float32 numbers: 0.9 is not quite 0.9.
  const momentum = Number(share.toFixed(6))
  return step.add('batchNorm', inputs, { epsilon: epsilonOf(step), momentum })
}

function epsilonOf(step: Step): number {
  return Number(step.attributes.float('epsilon', 1e-5).toPrecision(7))
}

/** Over the last dims, from `axis` on. */
export const layerNormalization: Reader = (step) => {
  const x = step.value(0)
  const axis = axisOf(step.attributes.int('axis', -1), x.shape.length)
  const width = elementCount(step.extents(x, axis))
  const rows = step.reshape(x, [...x.shape.slice(0, axis), width])
  const gain = step.parameter(1, 'gain', { shape: [width] })
  const bias = step.has(2) ? step.parameter(2, 'bias', { shape: [width] }) : step.filled(0, [width])
  return step.reshape(step.add('layerNorm', [rows, gain, bias], { epsilon: epsilonOf(step) }), x.shape)
}

/** x with mean 0 and variance 1 in every group of channels and all pixels. */
function inGroups(step: Step, x: Value, groups: number): Value {
  const [batch, channels] = x.shape as [Dim, number]
  const width = (channels / groups) * elementCount(step.extents(x, 2))
  if (!Number.isInteger(channels / groups))
    throw step.fault('has groups that do not divide the channels', `a divisor of ${channels}`, groups)
  const rows = step.reshape(x, [batch, groups, width])
  const normalised = step.add('layerNorm', [rows, step.filled(1, [width]), step.filled(0, [width])], { epsilon: epsilonOf(step) })
  return step.reshape(normalised, x.shape)
}

/** True for gains of one and biases of zero that an exporter has filled in. */
function isIdle(step: Step): boolean {
  const isAll = (input: number, value: number): boolean => {
    const operand = step.operand(input)
    return isFoldable(operand) && Array.from(operand.data).every((element) => element === value)
  }
  return isAll(1, 1) && isAll(2, 0)
}

/** gain·x + bias for every channel. */
function affine(step: Step, x: Value, channels: number): Value {
  if (isIdle(step)) return x
  const ofChannel = (input: number, role: 'gain' | 'bias'): Value => {
    const given = step.parameter(input, role)
    // Older files have one number for each group.
    const repeats = channels / Number(given.shape[0])
    const each = repeats === 1 ? given : spread(step, given, repeats)
    return step.reshape(each, [channels, ...x.shape.slice(2).map(() => 1)])
  }
  return step.add('add', [step.add('mul', [x, ofChannel(1, 'gain')], {}), ofChannel(2, 'bias')], {})
}

function spread(step: Step, value: Value, times: number): Value {
  const groups = Number(value.shape[0])
  const columns = step.add('broadcastTo', [step.reshape(value, [groups, 1])], { shape: [groups, times] })
  return step.reshape(columns, [groups * times])
}

export const instanceNormalization: Reader = (step) => {
  const x = step.value(0)
  const channels = x.shape[1]
  if (x.shape.length < 3 || typeof channels !== 'number') throw step.fault('takes images', '[batch, channels, …]', formatShape(x.shape))
  return affine(step, inGroups(step, x, channels), channels)
}

export const groupNormalization: Reader = (step) => {
  const x = step.value(0)
  const channels = x.shape[1]
  if (x.shape.length < 3 || typeof channels !== 'number') throw step.fault('takes images', '[batch, channels, …]', formatShape(x.shape))
  return affine(step, inGroups(step, x, step.attributes.int('num_groups', 1)), channels)
}
