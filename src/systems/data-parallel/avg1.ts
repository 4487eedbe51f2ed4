import { applyUpdate, averageParameters, computeGradients, trainingProgram } from '../../train/parts.ts'
import { every } from '../../train/program.ts'
import { defineSystem } from '../define.ts'
import { allReduceOption, chooseAllReduce } from './all-reduce-option.ts'

/** One-shot averaging: ranks train alone from common parameters and average once, at the end. */
export const avg1 = defineSystem({
  id: 'avg1',
  title: 'One-shot parameter averaging',
  family: 'data-parallel',
  summary: 'Ranks train alone on their rows; one average at the end is the only communication of learning.',
  reference: {
    authors: 'Zinkevich, Weimer, Smola, Li',
    title: 'Parallelized Stochastic Gradient Descent',
    venue: 'NIPS',
    year: 2010,
    place: 'Algorithm 3',
  },
  fabrics: ['virtual', 'threads', 'mpi', 'hybrid'],
  rung: 'metric',
  maxStaleness: 'the whole run',
  evaluates: 'the average of the replicas',
  bytesPerStep: '2n(p−1)/p once',
  faultOutcome: 2,
  workloads: ['lenet-5/mnist', 'mlp/mnist', 'mlp/waveform'],
  claims: [{ text: 'learning communicates once', source: 'Algorithm 3' }],
  deviations: [
    'Curves are of the average at the time, computed beside the run; those exchanges are counted under “evaluate”.',
    'The paper treats convex problems; a network only works because all ranks start from the same parameters.',
  ],
  tuning: 'Use `local` when the average scores worse than its replicas: they have drifted apart.',
  options: { allReduce: allReduceOption },
  build: (context, { allReduce }) =>
    trainingProgram(
      context,
      {
        evaluates: 'average',
        replicasDiffer: true,
        divisor: 'local',
        finish: averageParameters(chooseAllReduce(allReduce, context.reproducible)),
      },
      ...computeGradients(),
      ...applyUpdate(),
      // Ranks that share nothing must still stop at a common step: they ask each other as often as they are scored.
      every(context.evaluateEvery, { do: 'agree', by: 'exchange' }),
    ),
})
