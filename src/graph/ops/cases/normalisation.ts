import type { Shape } from '../../graph.ts'
import { use } from './case.ts'
import type { Case } from './case.ts'

const epsilon = 0.01
const shapes: readonly Shape[] = [
  ['batch', 4],
  ['batch', 4, 3, 2],
  ['batch', 2, 16, 18],
  ['batch', 3, 2, 3, 2],
]

/** Batch norm of a matrix, of images (with short and long rows) and of volumes. */
export const normalisationCases: readonly Case[] = shapes.flatMap((shape) => {
  const ofChannel: Shape = [shape[1] as number]
  const statistics: Shape = [2, shape[1] as number]
  return [
    use('batchNorm', { epsilon, momentum: 0.1 }, [shape, ofChannel, ofChannel, ofChannel, ofChannel], [0.5, 2], [0, 1, 2]),
    use('batchNormTrain', { epsilon }, [shape, ofChannel, ofChannel]),
    use('batchStatistics', {}, [shape]),
    use('batchNormReductions', { epsilon }, [shape, shape, statistics], [0.5, 2]),
    use('batchNormInputGradient', { epsilon }, [shape, shape, ofChannel, statistics, statistics], [0.5, 2]),
    use('runningStatisticStep', { momentum: 0.1, statistic: 'mean', shape }, [ofChannel, statistics, []]),
    use('runningStatisticStep', { momentum: 0.1, statistic: 'variance', shape }, [ofChannel, statistics, []]),
  ]
})
