/** The cross-entropy of class numbers and its gradient, which share one softmax. */
import { DataError } from '../../../../errors.ts'
import type { NumericArray } from '../../../../memory/dtype.ts'
import type { Operand, Slot } from '../../../partition/step.ts'
import { forward } from './softmax.ts'
import type { DnnRule, EmitContext } from './rule.ts'

/** A probability below this has lost digits on its way to zero: its logarithm is computed from the scores. */
const smallest = 1e-30

/** log softmax of one score of the row that begins at `start`. */
function logProbability(scores: NumericArray, start: number, classes: number, score: number): number {
  let max = -Infinity
  for (let k = start; k < start + classes; k++) max = Math.max(max, scores[k] as number)
  let sum = 0
  for (let k = start; k < start + classes; k++) sum += Math.exp((scores[k] as number) - max)
  return score - max - Math.log(sum)
}

/**
 * Inputs: scores `[rows, classes]`, target `[rows]` (−1: the row does not count), weight `[rows]`, divisor `[]`. One element of a row is
 * another than its probability times the row's weight: a loop over the rows changes those. The loss comes along.
 */
export const softmaxCrossEntropyGradient: DnnRule<'softmaxCrossEntropyGradient'> = {
  role: 'follower',
  supports: () => true,
  emit(context) {
    const { node, record, resources, fusions } = context
    const data = { slot: record.defineNew(node.id), descriptor: resources.plain(node.shape.map(Number)) }
    const factors = subtractTargets(context, data, fusions.companionsOf.get(node.id)?.[0])
    // An image of one pixel a class: the kernel for one number a channel is fast, that for one number a row is not.
    const [rows, classes] = node.shape.map(Number) as [number, number]
    const [image, channels] = [resources.plain([1, rows, classes, 1]), resources.plain([1, rows, 1, 1])]
    const primitive = resources.primitive({ kind: 'binary', operator: 'mul', left: image, right: channels, dst: image })
    const product = { slot: data.slot, descriptor: image }
    record.run(primitive, { src: product, src1: { slot: factors, descriptor: channels }, dst: product })
  },
}

/** The loss where nobody wants its gradient. */
export const softmaxCrossEntropy: DnnRule<'softmaxCrossEntropy'> = {
  role: 'follower',
  supports: () => true,
  emit(context) {
    const { node, record, resources } = context
    const shape = record.shapeOf(node.inputs[0] as string)
    subtractTargets(context, record.temporary(resources.plain(shape)), node.id)
  },
}

type Context = Pick<EmitContext<'softmaxCrossEntropy' | 'softmaxCrossEntropyGradient'>, 'node' | 'record' | 'resources'>

/**
 * Writes softmax − one-hot, and the loss.
 * @returns What the rows are to be multiplied by
 */
function subtractTargets({ node, record, resources }: Context, result: Operand, loss: string | undefined): Slot {
  const [scores, target, weight, divisor] = node.inputs as [string, string, string, string]
  const [rows, classes] = record.shapeOf(scores) as [number, number]
  const src = { slot: record.plainSlot(scores), descriptor: result.descriptor }
  record.run(forward(resources, [rows, classes]), { src, dst: result })
  const factors = record.newSlot(rows)
  const lossSlot = loss === undefined ? record.newSlot(1) : record.defineNew(loss)
  const ofRows = { shape: [rows], dtype: 'float32' } as const
  const matrix = { shape: [rows, classes], dtype: 'float32' } as const
  const number = { shape: [], dtype: 'float32' } as const
  record.loop(
    {
      scores: { slot: src.slot, ...matrix },
      probabilities: { slot: result.slot, ...matrix },
      targets: { slot: record.plainSlot(target), shape: [rows], dtype: 'int32' },
      weights: { slot: record.plainSlot(weight), ...ofRows },
      divisor: { slot: record.plainSlot(divisor), ...number },
      factors: { slot: factors, ...ofRows },
      loss: { slot: lossSlot, ...number },
    },
    (arrays) => () => walkTargets(arrays, classes),
  )
  return factors
}

type Arrays = Readonly<Record<'scores' | 'probabilities' | 'targets' | 'weights' | 'divisor' | 'factors' | 'loss', NumericArray>>

function walkTargets({ scores, probabilities, targets, weights, divisor, factors, loss }: Arrays, classes: number): void {
  let sum = 0
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i] as number
    if (target < -1 || target >= classes) {
      throw new DataError(
        `loss: target ${target} of row ${i} is no class — expected 0 to ${classes - 1}, or −1 for a row that does not count`,
      )
    }
    const factor = target < 0 ? 0 : (weights[i] as number) / (divisor[0] as number)
    factors[i] = factor
    if (target < 0) continue
    const k = i * classes + target
    const probability = probabilities[k] as number
    const log = probability > smallest ? Math.log(probability) : logProbability(scores, i * classes, classes, scores[k] as number)
    sum -= factor * log
    probabilities[k] = probability - 1
  }
  loss[0] = sum
}
