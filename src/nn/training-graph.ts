/**
 * The three graphs that run a model: training (loss and gradients), evaluation (loss and what a metric adds up) and inference. All are made
 * of the model's one forward graph.
 * @packageDocumentation
 */
import { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/builder.ts'
import { grad } from '../graph/grad.ts'
import { gradientPrefix, outputNamed, parameterPrefix } from '../graph/graph.ts'
import type { Graph, GraphOutput } from '../graph/graph.ts'
import { addStatisticSteps } from './batch-norm-form.ts'
import { inferenceForm, trainingForm } from './forms.ts'
import { addLoss, targetType } from './losses.ts'
import type { LossName } from './losses.ts'
import { defaultMetric, metricOf } from './metrics.ts'
import type { MetricName } from './metrics.ts'
import type { Model } from './model.ts'

/**
 * Loss and gradients as *partial sums*: Σᵢ weightᵢ·ℓᵢ / divisor over the rows of this batch. With the same divisor everywhere the sum over
 * ranks and micro-batches is the global mean, whatever their sizes are.
 *
 * Inputs: the model's inputs (already normalised), `target` (see `targetType`), `weight` float32 `[batch]`, `divisor` float32 scalar,
 * `mask:<layer>` float32 of the layer's shape for every dropout (0 or 1/(1 − rate)), its batch first, `param:<name>`.
 * Outputs: `loss` float32 scalar, `gradient:<name>` of every trained parameter's shape; that of a running statistic is what a step takes off it.
 *
 * @throws {ShapeError} SHAPE when the model's output does not fit the loss
 */
export function trainingGraph(model: Model, loss: LossName): Graph {
  const forward = trainingForm(model)
  const builder = GraphBuilder.from(forward)
  const inputs = lossInputs(builder, forward, model.name, loss)
  const summed = { ...inputs, divisor: builder.input('divisor', [], 'float32') }
  const value = addLoss(builder, loss, summed)
  builder.output('loss', value)
  for (const output of carriedOutputs(forward)) builder.output(output.name, builder.value(output.value))
  const trained = model.parameters.filter(({ update = 'optimizer' }) => update === 'optimizer')
  const gradients = grad(
    builder,
    value,
    trained.map((spec) => builder.value(parameterPrefix + spec.name)),
  )
  trained.forEach((spec, i) => {
    builder.output(gradientPrefix + spec.name, gradients[i] as Value)
  })
  addStatisticSteps(builder, model, summed)
  return builder.build()
}

/**
 * Inputs: as {@link trainingGraph} without `divisor` and masks. Outputs: `loss` = Σᵢ weightᵢ·ℓᵢ, a float32 scalar, and `tally`, what the
 * metric adds up, where it needs more than the loss.
 */
export function evaluationGraph(model: Model, loss: LossName, metric: MetricName = defaultMetric(loss)): Graph {
  const forward = inferenceForm(model.graph)
  const builder = GraphBuilder.from(forward)
  const inputs = lossInputs(builder, forward, model.name, loss)
  const divisor = builder.add('fill', [], { value: 1, shape: [] })
  builder.output('loss', addLoss(builder, loss, { ...inputs, divisor }))
  const tally = metricOf(metric).tally?.(builder, inputs)
  if (tally !== undefined) builder.output('tally', tally)
  for (const output of carriedOutputs(forward)) builder.output(output.name, builder.value(output.value))
  return builder.build()
}

/** Inputs: the model's inputs, `param:<name>`. Output: `output`. */
export function inferenceGraph(model: Model): Graph {
  return inferenceForm(model.graph)
}

function lossInputs(builder: GraphBuilder, forward: Graph, name: string, loss: LossName): Record<'output' | 'target' | 'weight', Value> {
  const output = builder.value(outputNamed(forward, 'output').value)
  const { shape, dtype } = targetType(name, loss, output.shape)
  return { output, target: builder.input('target', shape, dtype), weight: builder.input('weight', ['batch'], 'float32') }
}

/** State that one batch hands to the next. */
function carriedOutputs(forward: Graph): readonly GraphOutput[] {
  return forward.outputs.filter((output) => output.name !== 'output')
}
