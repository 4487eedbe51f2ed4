/**
 * Batch norm in training: the statistics of the batch take the place of the running ones, which follow them.
 * @packageDocumentation
 */
import type { GraphBuilder, Value } from '../graph/builder.ts'
import { elementsPerSample, gradientPrefix, parameterPrefix } from '../graph/graph.ts'
import type { Graph, Node, NodeOf } from '../graph/graph.ts'
import type { LossInputs } from './losses.ts'
import { positionRows } from './losses.ts'
import type { Model } from './model.ts'

/** What {@link withBatchStatistics} and {@link addStatisticSteps} read of a model. */
type Normalised = Pick<Model, 'graph' | 'parameters'>

/** The batch norms whose statistics follow the batches: those whose running statistics are not frozen. */
function livingNorms({ graph, parameters }: Normalised): NodeOf<'batchNorm'>[] {
  const statistics = new Set(parameters.filter(({ update }) => update === 'statistic').map(({ name }) => parameterPrefix + name))
  return graph.nodes.filter((node) => node.op === 'batchNorm').filter(({ inputs }) => inputs.slice(3).every((id) => statistics.has(id)))
}

/** True when a step of training depends on which rows share a batch: it must not hold rows that are not there. */
export function usesBatchStatistics(model: Normalised): boolean {
  return livingNorms(model).length > 0
}

/** Values of a channel in one row, of the batch norm that has fewest: 1 for one on features, the pixels for one on images; without such norms infinite. */
export function leastNormalisedValues(model: Normalised): number {
  return Math.min(...livingNorms(model).map(({ shape }) => elementsPerSample(shape.slice(2))))
}

/** The forward graph with batch norms that take the statistics of the batch. */
export function withBatchStatistics(model: Normalised): Graph {
  const living = new Set(livingNorms(model).map(({ id }) => id))
  const inTraining = (node: Node): Node => {
    if (node.op !== 'batchNorm' || !living.has(node.id)) return node
    return { ...node, op: 'batchNormTrain', inputs: node.inputs.slice(0, 3), attrs: { epsilon: node.attrs.epsilon } }
  }
  return { ...model.graph, nodes: model.graph.nodes.map(inTraining) }
}

/**
 * Adds an output `gradient:<name>` for every running statistic: what a step takes off it. It is a partial sum like the loss, weighted by the
 * share of this batch in the whole one: over ranks and micro-batches the statistic moves by momentum towards the mean of theirs.
 */
export function addStatisticSteps(builder: GraphBuilder, model: Normalised, inputs: LossInputs): void {
  const living = livingNorms(model)
  if (living.length === 0) return
  const share = shareOfBatch(builder, inputs)
  // A norm that is used at several places takes one step for each of them.
  const steps = new Map<string, Value>()
  for (const { inputs: operands, attrs, shape, layer } of living) {
    const [x, , , mean, variance] = operands.map((id) => builder.value(id)) as [Value, Value, Value, Value, Value]
    const statistics = builder.add('batchStatistics', [x], {}, layer)
    for (const [statistic, running] of [
      ['mean', mean],
      ['variance', variance],
    ] as const) {
      const step = builder.add('runningStatisticStep', [running, statistics, share], { momentum: attrs.momentum, statistic, shape }, layer)
      const sum = steps.get(running.id)
      steps.set(running.id, sum === undefined ? step : builder.add('add', [sum, step], {}, layer))
    }
  }
  for (const [running, step] of steps) builder.output(gradientPrefix + running.slice(parameterPrefix.length), step)
}

/** Σ weight / divisor over what the loss counts: rows, or positions whose target is not −1. */
function shareOfBatch(builder: GraphBuilder, inputs: LossInputs): Value {
  if (inputs.target.dtype !== 'int32')
    return builder.add('div', [builder.add('reduceSum', [inputs.weight], { dims: [0] }), inputs.divisor], {})
  const { target, weight } = positionRows(builder, inputs)
  const total = builder.add('reduceSum', [weight], { dims: [0] })
  const ignored = builder.add('mul', [weight, builder.add('equals', [target], { value: -1 })], {})
  const counted = builder.add('sub', [total, builder.add('reduceSum', [ignored], { dims: [0] })], {})
  return builder.add('div', [counted, inputs.divisor], {})
}
