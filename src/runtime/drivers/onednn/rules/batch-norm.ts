/** Batch normalisation, with the statistics of the batch or with running ones, and its gradient. */
import type { Recorder } from '../../../partition/recorder.ts'
import type { Operand, Slot } from '../../../partition/step.ts'
import type { Descriptor, NormFlags } from '../operations.ts'
import type { Primitive, Resources } from '../resources.ts'
import { isImage } from './rule.ts'
import type { DnnRule } from './rule.ts'

const withScale: NormFlags = { globalStatistics: false, scale: true, shift: true }
const withRunning: NormFlags = { globalStatistics: true, scale: true, shift: true }
const bare: NormFlags = { globalStatistics: false, scale: false, shift: false }

const firstIsImage = (_: unknown, [shape]: readonly (readonly number[])[]): boolean => isImage(shape)

/** One number for each channel. */
function ofChannels(record: Recorder, resources: Resources, value: string): Operand {
  return record.read(value, resources.plain(record.shapeOf(value)))
}

/** The rows of a `[2, channels]` value. */
function rowsOf(resources: Resources, slot: Slot, channels: number): readonly [Operand, Operand] {
  const descriptor = resources.plain([channels])
  const bytes = channels * Float32Array.BYTES_PER_ELEMENT
  const row = (offset: number): Operand => ({ slot: { bytes, within: { slot, offset } }, descriptor })
  return [row(0), row(bytes)]
}

/**
 * The order in which an image is normalised: its own, or that of convolutions where it comes from elsewhere, such as from another segment of a
 * cut graph, whose sums must not differ by the order of their terms.
 */
function orderFor(record: Recorder, resources: Resources, x: string): Descriptor {
  return record.isBlocked(x) ? record.orderOf(x) : resources.imageOrder(record.shapeOf(x))
}

function training(resources: Resources, data: Descriptor, epsilon: number, flags: NormFlags): Primitive {
  return resources.primitive({ kind: 'normalisation', data, epsilon, flags, training: true })
}

/** Inputs: x, γ, β, running mean, running variance. */
export const batchNorm: DnnRule<'batchNorm'> = {
  role: 'anchor',
  supports: firstIsImage,
  emit({ node, record, resources }) {
    const [x, gamma, beta, mean, variance] = node.inputs as [string, string, string, string, string]
    const data = orderFor(record, resources, x)
    const { epsilon } = node.attrs
    const primitive = resources.primitive({ kind: 'normalisation', data, epsilon, flags: withRunning, training: false })
    record.run(primitive, {
      src: record.read(x, data),
      scale: ofChannels(record, resources, gamma),
      shift: ofChannels(record, resources, beta),
      mean: ofChannels(record, resources, mean),
      variance: ofChannels(record, resources, variance),
      dst: record.write(node.id, data),
    })
  },
}

/** Inputs: x, γ, β. The statistics of the batch come along. */
export const batchNormTrain: DnnRule<'batchNormTrain'> = {
  role: 'anchor',
  supports: firstIsImage,
  emit({ node, record, resources, fusions }) {
    const [x, gamma, beta] = node.inputs as [string, string, string]
    const data = orderFor(record, resources, x)
    const [statistics] = fusions.companionsOf.get(node.id) ?? []
    const channels = Number(node.shape[1])
    const slot = statistics === undefined ? record.newSlot(2 * channels) : record.defineNew(statistics)
    const [mean, variance] = rowsOf(resources, slot, channels)
    record.run(training(resources, data, node.attrs.epsilon, withScale), {
      src: record.read(x, data),
      scale: ofChannels(record, resources, gamma),
      shift: ofChannels(record, resources, beta),
      mean,
      variance,
      dst: record.write(node.id, data),
    })
  },
}

/** Input: x. On its own, where x is normalised in another graph. */
export const batchStatistics: DnnRule<'batchStatistics'> = {
  role: 'anchor',
  supports: firstIsImage,
  emit({ node, record, resources }) {
    const [x] = node.inputs as [string]
    const data = orderFor(record, resources, x)
    const [mean, variance] = rowsOf(resources, record.defineNew(node.id), Number(node.shape[1]))
    record.run(training(resources, data, 1e-5, bare), { src: record.read(x, data), mean, variance, dst: record.temporary(data) })
  },
}

/** Inputs: x, dL/dy, statistics. dL/dx comes along. */
export const batchNormReductions: DnnRule<'batchNormReductions'> = {
  role: 'anchor',
  supports: firstIsImage,
  emit({ node, record, resources, fusions, nodes }) {
    const [x, upstream, statistics] = node.inputs as [string, string, string]
    const [companion] = fusions.companionsOf.get(node.id) ?? []
    const channels = Number(node.shape[1])
    const data = orderFor(record, resources, x)
    const { epsilon } = node.attrs
    const hint = training(resources, data, epsilon, withScale).operation
    const primitive = resources.primitive({ kind: 'normalisation-gradient', data, upstream: data, epsilon, flags: withScale, hint })
    const [mean, variance] = rowsOf(resources, record.plainSlot(statistics), channels)
    const gamma = companion === undefined ? undefined : nodes.get(companion)?.inputs[2]
    const one = (): Operand => ({ slot: record.newSlot(channels), descriptor: resources.plain([channels]) })
    const src = record.read(x, data)
    const diffDst = record.read(upstream, data)
    const [diffShift, diffScale] = rowsOf(resources, record.defineNew(node.id), channels)
    const diffSrc = companion === undefined ? record.temporary(data) : record.write(companion, data)
    // Without a companion nobody asks for dL/dx, and γ only scales that.
    const scale = gamma === undefined ? one() : ofChannels(record, resources, gamma)
    const beta = resources.library.binding.asksForShift ? { shift: one() } : {}
    record.run(primitive, { src, diffDst, mean, variance, scale, ...beta, diffSrc, diffScale, diffShift }, [diffDst, diffSrc])
  },
}
