/**
 * A system of your own in one file: local SGD whose period grows. Early steps, in which replicas drift apart quickly, are averaged often;
 * late ones, in which they hardly move, rarely.
 *
 *   phase k = 0, 1, …:  repeat:  w_i ← τ·2ᵏ optimiser steps from w;   w ← Σ_i (b_i/B)·w_i
 *
 * Run it with `tutti run --system ./examples/my-system.ts --workload mlp/waveform --workers 2`, or from a script: compare-my-system.ts.
 */
import { applyUpdate, averageParameters, computeGradients, defineSystem, every, option, phasedProgram } from 'tutti/systems'

export default defineSystem({
  id: 'growing-local',
  title: 'Local SGD with a growing period (after Stich 2019)',
  options: {
    period: option.integer({ default: 8, min: 1, doc: 'τ, steps between two averagings in the first phase' }),
    phases: option.integer({ default: 4, min: 1, doc: 'parts of the run; the period doubles from one to the next' }),
  },
  build(context, { period, phases }) {
    const average = averageParameters('native')
    // Phase k lasts until that share of the run; inside it all steps are alike.
    const phase = (k: number) => ({
      until: (k + 1) / phases,
      step: [...computeGradients(), ...applyUpdate(), every(period * 2 ** k, ...average)],
    })
    const how = { evaluates: 'average', replicasDiffer: true, divisor: 'local', finish: average } as const
    return phasedProgram(context, how, ...Array.from({ length: phases }, (_, k) => phase(k)))
  },
})
