import { applyUpdate, averageParameters, computeGradients, trainingProgram } from '../../train/parts.ts'
import { every } from '../../train/program.ts'
import { defineSystem, option } from '../define.ts'
import { allReduceOption, chooseAllReduce } from './all-reduce-option.ts'

/**
 * Local SGD: every rank takes τ steps alone from the common parameters, then the ranks average.
 *
 *   repeat:  w_i ← τ optimiser steps from w;   w ← Σ_i (b_i/B)·w_i
 */
export const local = defineSystem({
  id: 'local',
  title: 'Local SGD',
  family: 'data-parallel',
  summary: 'Ranks train alone for τ steps, then average their parameters: τ times fewer bytes than BSP.',
  reference: {
    authors: 'Stich',
    title: 'Local SGD Converges Fast and Communicates Little',
    venue: 'ICLR',
    year: 2019,
    place: 'Algorithm 1',
    url: 'https://arxiv.org/abs/1805.09767',
  },
  fabrics: ['virtual', 'threads', 'mpi', 'hybrid'],
  rung: 'metric',
  maxStaleness: 'τ steps',
  evaluates: 'the average of the replicas',
  bytesPerStep: '2n(p−1)/(p·τ)',
  faultOutcome: 2,
  workloads: ['lenet-5/mnist', 'mlp/mnist', 'mlp/waveform'],
  claims: [
    { text: 'bytes a step fall as 1/τ', source: 'derived' },
    { text: 'with τ = 1 and plain SGD the result is that of BSP', source: 'derived' },
  ],
  deviations: ['Momentum stays with each rank (it is neither averaged nor reset).'],
  tuning: 'Raise localSteps while accuracy at the same number of epochs holds; lower it for rows that are not spread alike over the ranks.',
  options: { localSteps: option.integer({ default: 8, min: 1, doc: 'τ, steps between two averagings' }), allReduce: allReduceOption },
  build(context, { localSteps, allReduce }) {
    const average = averageParameters(chooseAllReduce(allReduce, context.reproducible))
    return trainingProgram(
      context,
      { evaluates: 'average', replicasDiffer: true, divisor: 'local', finish: average },
      ...computeGradients(),
      ...applyUpdate(),
      every(localSteps, ...average),
    )
  },
})
