import { applyUpdate, computeGradients, trainingProgram } from '../../train/parts.ts'
import { defineSystem } from '../define.ts'

/** Serial SGD: what every other system is compared with. With `microBatches: N` it is the bit-exact reference of N ranks that add in rank order. */
export const solo = defineSystem({
  id: 'solo',
  title: 'Serial SGD',
  family: 'baseline',
  summary: 'One worker, no communication: the reference of every comparison.',
  reference: {
    authors: 'Robbins, Monro',
    title: 'A Stochastic Approximation Method',
    venue: 'Annals of Mathematical Statistics',
    year: 1951,
  },
  fabrics: ['virtual', 'threads'],
  rung: 'bit',
  maxStaleness: '0',
  evaluates: 'the replica',
  bytesPerStep: '0',
  faultOutcome: 2,
  workloads: ['lenet-5/mnist', 'mlp/mnist', 'mlp/waveform'],
  claims: [],
  deviations: [],
  tuning: 'Nothing to tune beside the optimiser.',
  options: {},
  build: (context) =>
    trainingProgram(context, { evaluates: 'replica' }, ...computeGradients(), { do: 'agree', by: 'alone' }, ...applyUpdate()),
})
