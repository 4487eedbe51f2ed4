/**
 * A system of your own in one file: local SGD whose period grows. Early steps, in which replicas drift apart quickly, are averaged often;
 * late ones, in which they hardly move, rarely.
 *
 *   phase k = 0, 1, …:  repeat:  w_i ← τ·2ᵏ optimiser steps from w;   w ← Σ_i (b_i/B)·w_i
 *
 * Run it with `tutti run --system ./examples/my-system.ts --workload mlp/waveform --workers 2`, or from a script: compare-my-system.ts.
 */
import {
  applyUpdate,
  averageParameters,
  computeGradients,
  defineSystem,
  every,
  type Instruction,
  option,
  repeat,
  trainingProgram,
} from 'tutti/systems'

export default defineSystem({
  id: 'growing-local',
  title: 'Local SGD with a growing period',
  family: 'data-parallel',
  summary: 'Local SGD that averages often at first and ever more rarely.',
  reference: {
    authors: 'Stich',
    title: 'Local SGD Converges Fast and Communicates Little',
    venue: 'ICLR',
    year: 2019,
    place: 'Algorithm 1, whose averaging steps may lie anywhere',
    url: 'https://arxiv.org/abs/1805.09767',
  },
  fabrics: ['virtual', 'threads', 'mpi', 'hybrid'],
  rung: 'metric',
  maxStaleness: 'the longest period',
  evaluates: 'the average of the replicas',
  bytesPerStep: '2n(p−1)/p divided by the period',
  faultOutcome: 2,
  workloads: ['mlp/waveform', 'lenet-5/mnist'],
  claims: [{ text: 'fewer bytes than local SGD with the first period', source: 'derived' }],
  deviations: ['The period doubles from phase to phase.'],
  tuning: 'More phases while accuracy at the same number of epochs holds.',
  options: {
    period: option.integer({ default: 8, min: 1, doc: 'τ, steps between two averagings in the first phase' }),
    phases: option.integer({ default: 4, min: 1, doc: 'parts of the run; the period doubles from one to the next' }),
  },
  build(context, { period, phases }) {
    const average = averageParameters('native')
    // Every step ends like this: count it, score the average of the replicas now and then, save when it is time.
    const close: Instruction[] = [{ do: 'report' }, every(context.evaluateEvery, { do: 'evaluate', of: 'average' }), { do: 'checkpoint' }]
    // A `repeat` of the body counts the steps of the whole run: phase k lasts until step (k + 1)/phases of them.
    const phase = (k: number): Instruction =>
      repeat(
        Math.round((context.steps * (k + 1)) / phases),
        ...computeGradients(),
        ...applyUpdate(),
        every(period * 2 ** k, ...average),
        ...close,
      )
    const frame = trainingProgram(context, { evaluates: 'average', replicasDiffer: true, divisor: 'local', finish: average })
    return { ...frame, body: Array.from({ length: phases }, (_, k) => phase(k)) }
  },
})
