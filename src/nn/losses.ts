/**
 * Losses as partial sums, Σᵢ weightᵢ·ℓᵢ / divisor over the rows of a batch: with the same divisor everywhere, the sum over ranks and
 * micro-batches is the mean over the whole batch, whatever their sizes are.
 * @packageDocumentation
 */
import { ConfigError, ShapeError } from '../errors.ts'
import type { GraphBuilder, Value } from '../graph/builder.ts'
import { elementsPerSample, formatShape, isBatchDim, perSample } from '../graph/graph.ts'
import type { Shape, TensorType } from '../graph/graph.ts'

/**
 * What is minimised.
 *
 * - `cross-entropy`: −log softmax(output)[target] of every row of scores. Output `[rows, classes]`; rows is the batch, or a multiple of it:
 *   several positions a sample (the tokens of a text, the pixels of an image). Target int32 `[batch]` or `[batch, positions]`; positions whose
 *   target is −1 do not count. The divisor counts positions.
 * - `binary-cross-entropy`: −log σ(output) where the target is 1, −log(1 − σ(output)) where it is 0. Output `[batch]` or `[batch, 1]`, target float32.
 * - `mean-squared-error`: mean over the outputs of (output − target)², target float32 of the output's shape.
 */
export const lossNames = ['cross-entropy', 'binary-cross-entropy', 'mean-squared-error'] as const

/** Name of a loss. */
export type LossName = (typeof lossNames)[number]

/** @throws {ConfigError} CONFIG when there is no loss of this name */
export function requireLoss(name: string): LossName {
  const found = lossNames.find((loss) => loss === name)
  if (found === undefined) throw new ConfigError(`loss: there is no ${JSON.stringify(name)} — expected one of ${lossNames.join(', ')}`)
  return found
}

/** Positions of one sample that a loss counts: rows of scores for cross-entropy, 1 otherwise. */
export function positionsPerSample(loss: LossName, output: Shape): number {
  const [rows] = output
  return loss === 'cross-entropy' && rows !== undefined ? perSample(rows) : 1
}

/**
 * The target that a loss compares a model's output with.
 * @param model - Named in errors
 * @throws {ShapeError} SHAPE when the output does not fit the loss
 */
export function targetType(model: string, loss: LossName, output: Shape): TensorType {
  if (loss === 'mean-squared-error') return { shape: output, dtype: 'float32' }
  if (loss === 'binary-cross-entropy') {
    if (output[0] === 'batch' && elementsPerSample(output) === 1) return { shape: ['batch'], dtype: 'float32' }
    throw new ShapeError(
      `${model}: binary-cross-entropy takes one score a sample — expected [batch] or [batch, 1], got ${formatShape(output)}`,
    )
  }
  if (output.length !== 2 || !isBatchDim(output[0])) {
    throw new ShapeError(
      `${model}: cross-entropy takes rows of scores — expected [batch, classes], or [batch*positions, classes], got ${formatShape(output)}`,
    )
  }
  const positions = perSample(output[0])
  return { shape: positions === 1 ? ['batch'] : ['batch', positions], dtype: 'int32' }
}

/** What a loss is computed from: `target` of {@link targetType}, `weight` float32 `[batch]`, `divisor` float32 `[]`. */
export interface LossInputs {
  readonly output: Value
  readonly target: Value
  readonly weight: Value
  readonly divisor: Value
}

/** Adds a loss to a graph: a scalar. */
export function addLoss(builder: GraphBuilder, loss: LossName, inputs: LossInputs): Value {
  const { output, divisor } = inputs
  switch (loss) {
    case 'cross-entropy': {
      const { target, weight } = positionRows(builder, inputs)
      return builder.add('softmaxCrossEntropy', [output, target, weight, divisor], {})
    }
    case 'binary-cross-entropy':
      return builder.add('binaryCrossEntropy', [asRows(builder, output), inputs.target, inputs.weight, divisor], {})
    case 'mean-squared-error':
      return meanSquaredError(builder, inputs)
  }
}

/** Target and weight of every row of scores: those of a sample, once for each of its positions. */
export function positionRows(builder: GraphBuilder, { output, target, weight }: Omit<LossInputs, 'divisor'>): Omit<LossInputs, 'divisor'> {
  const rows = output.shape[0]
  const positions = rows === undefined ? 1 : perSample(rows)
  if (positions === 1 || rows === undefined) return { output, target, weight }
  const column = builder.add('reshape', [weight], { shape: ['batch', 1] })
  const repeated = builder.add('broadcastTo', [column], { shape: ['batch', positions] })
  return {
    output,
    target: builder.add('reshape', [target], { shape: [rows] }),
    weight: builder.add('reshape', [repeated], { shape: [rows] }),
  }
}

function asRows(builder: GraphBuilder, output: Value): Value {
  return output.shape.length === 1 ? output : builder.add('reshape', [output], { shape: ['batch'] })
}

function meanSquaredError(builder: GraphBuilder, { output, target, weight, divisor }: LossInputs): Value {
  const error = builder.add('sub', [output, target], {})
  const dims = output.shape.map((_, d) => d).slice(1)
  const sums = builder.add('reduceSum', [builder.add('mul', [error, error], {})], { dims })
  const means = builder.add('scale', [sums], { factor: 1 / elementsPerSample(output.shape) })
  const total = builder.add('reduceSum', [builder.add('mul', [means, weight], {})], { dims: [0] })
  return builder.add('div', [total, divisor], {})
}
