/**
 * The three graphs that run a model: training (loss and gradients), evaluation (loss and hits) and inference. All are lowered from the
 * model's one forward graph; only training has dropout.
 * @packageDocumentation
 */
import { ConfigError, ShapeError } from '../errors.ts'
import { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/builder.ts'
import { grad } from '../graph/grad.ts'
import { elementsPerSample, formatShape, gradientPrefix, maskPrefix, outputNamed, parameterPrefix } from '../graph/graph.ts'
import type { Graph, Node } from '../graph/graph.ts'
import type { Model } from './model.ts'

/**
 * What is minimised, per sample. `cross-entropy`: −log softmax(output)[target], target int32 `[batch]`. `mean-squared-error`: mean over
 * the outputs of (output − target)², target float32 of the output's shape.
 */
export const lossNames = ['cross-entropy', 'mean-squared-error'] as const

/** Name of a loss. */
export type LossName = (typeof lossNames)[number]

/**
 * Loss and gradients as *partial sums*: Σᵢ weightᵢ·ℓᵢ / divisor over the rows of this batch. With the same divisor everywhere the sum over
 * ranks and micro-batches is the global mean, whatever their sizes are.
 *
 * Inputs: the model's inputs (float32, already normalised), `target`, `weight` float32 `[batch]`, `divisor` float32 scalar,
 * `mask:<layer>` float32 of the layer's shape for every dropout (0 or 1/(1 − rate)), `param:<name>`.
 * Outputs: `loss` float32 scalar, `gradient:<name>` of every parameter's shape.
 *
 * @throws {ShapeError} SHAPE when the model's output does not fit the loss
 */
export function trainingGraph(model: Model, loss: LossName): Graph {
  const forward = withMasks(model.graph)
  const builder = GraphBuilder.from(forward)
  const { value } = addLoss(builder, forward, model.name, loss, true)
  builder.output('loss', value)
  const parameters = model.parameters.map((spec) => builder.value(parameterPrefix + spec.name))
  const gradients = grad(builder, value, parameters)
  model.parameters.forEach((spec, i) => {
    builder.output(gradientPrefix + spec.name, gradients[i] as Value)
  })
  return builder.build()
}

/**
 * Inputs: as {@link trainingGraph} without `divisor` and masks. Outputs, float32 scalars: `loss` = Σᵢ weightᵢ·ℓᵢ and, for
 * `cross-entropy`, `correct` = Σᵢ weightᵢ·[the largest output is the target's].
 */
export function evaluationGraph(model: Model, loss: LossName): Graph {
  const forward = withoutDropout(model.graph)
  const builder = GraphBuilder.from(forward)
  const { value, output, target, weight } = addLoss(builder, forward, model.name, loss, false)
  builder.output('loss', value)
  if (loss === 'cross-entropy') builder.output('correct', builder.add('correctCount', [output, target, weight], {}))
  return builder.build()
}

/** Inputs: the model's inputs, `param:<name>`. Output: `output`. */
export function inferenceGraph(model: Model): Graph {
  return withoutDropout(model.graph)
}

interface LossValues {
  readonly value: Value
  readonly output: Value
  readonly target: Value
  readonly weight: Value
}

function addLoss(builder: GraphBuilder, forward: Graph, name: string, loss: LossName, isDivided: boolean): LossValues {
  const output = builder.value(outputNamed(forward, 'output').value)
  const isClasses = loss === 'cross-entropy'
  if (isClasses && output.shape.length !== 2) {
    throw new ShapeError(
      `${name}: cross-entropy takes one row of scores a sample — expected [batch, classes], got ${formatShape(output.shape)}`,
    )
  }
  const target = isClasses ? builder.input('target', ['batch'], 'int32') : builder.input('target', output.shape, 'float32')
  const weight = builder.input('weight', ['batch'], 'float32')
  const divisor = isDivided ? builder.input('divisor', [], 'float32') : builder.add('fill', [], { value: 1, shape: [] })
  const value = losses[loss](builder, output, target, weight, divisor)
  return { value, output, target, weight }
}

const losses = {
  'cross-entropy': (builder, output, target, weight, divisor) => builder.add('softmaxCrossEntropy', [output, target, weight, divisor], {}),
  'mean-squared-error': (builder, output, target, weight, divisor) => {
    const error = builder.add('sub', [output, target], {})
    const dims = output.shape.map((_, d) => d).slice(1)
    const sums = builder.add('reduceSum', [builder.add('mul', [error, error], {})], { dims })
    const means = builder.add('scale', [sums], { factor: 1 / elementsPerSample(output.shape) })
    const total = builder.add('reduceSum', [builder.add('mul', [means, weight], {})], { dims: [0] })
    return builder.add('div', [total, divisor], {})
  },
} satisfies Record<LossName, (builder: GraphBuilder, output: Value, target: Value, weight: Value, divisor: Value) => Value>

/** Gives every dropout its mask. */
function withMasks(graph: Graph): Graph {
  const dropouts = graph.nodes.filter((node) => node.op === 'dropout')
  const nameOf = (node: Node): string => maskPrefix + (node.layer ?? node.id)
  return {
    ...graph,
    inputs: [...graph.inputs, ...dropouts.map((node) => ({ name: nameOf(node), shape: node.shape, dtype: 'float32' as const }))],
    nodes: graph.nodes.map((node) => (node.op === 'dropout' ? { ...node, inputs: [...node.inputs, nameOf(node)] } : node)),
  }
}

/** Takes dropouts out: their users read what they would have masked. */
function withoutDropout(graph: Graph): Graph {
  const replaced = new Map<string, string>()
  const resolve = (id: string): string => replaced.get(id) ?? id
  const nodes = graph.nodes.flatMap((node) => {
    const inputs = node.inputs.map(resolve)
    if (node.op !== 'dropout') return [{ ...node, inputs }]
    replaced.set(node.id, inputs[0] as string)
    return []
  })
  return { ...graph, nodes, outputs: graph.outputs.map((output) => ({ ...output, value: resolve(output.value) })) }
}

/** The mask inputs of a training graph: shapes and rates by input name, for whoever fills them. */
export function maskInputs(
  model: Model,
): { readonly name: string; readonly layer: string; readonly rate: number; readonly elementsPerSample: number }[] {
  return model.graph.nodes.flatMap((node) => {
    if (node.op !== 'dropout') return []
    const layer = node.layer ?? node.id
    return [{ name: maskPrefix + layer, layer, rate: node.attrs.rate, elementsPerSample: elementsPerSample(node.shape) }]
  })
}

/** @throws {ConfigError} CONFIG when there is no loss of this name */
export function requireLoss(name: string): LossName {
  const found = lossNames.find((loss) => loss === name)
  if (found === undefined) throw new ConfigError(`loss: there is no ${JSON.stringify(name)} — expected one of ${lossNames.join(', ')}`)
  return found
}
