import { elementsPerSample } from '../graph/graph.ts'
import { modelFromJSON } from '../nn/model.ts'
import { evaluationGraph } from '../nn/training-graph.ts'
import type { TrainJob } from './job.ts'

/** How many numbers the metric of a job adds up beside the loss. */
export function tallyLength({ model, loss, metric }: Pick<TrainJob, 'model' | 'loss' | 'metric'>): number {
  const tally = evaluationGraph(modelFromJSON(model), loss, metric).outputs.find(({ name }) => name === 'tally')
  return tally === undefined ? 0 : elementsPerSample(tally.shape)
}
