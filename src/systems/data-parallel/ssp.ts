import { computeGradients, pushAndPull, trainingProgram } from '../../train/parts.ts'
import { defineSystem, option } from '../define.ts'

/**
 * Stale synchronous parallel: ranks have clocks, and the fastest may lead the slowest by at most `s`.
 *
 *   rank i at clock c:   u = −η·g_i(w~);  INC(w, u);  clock_i = c + 1
 *                        read w~ once  clock_i − min_j clock_j ≤ s
 */
export const ssp = defineSystem({
  id: 'ssp',
  title: 'Stale synchronous parallel',
  family: 'data-parallel',
  summary: 'A parameter server whose workers may run at most s clocks ahead of the slowest.',
  reference: {
    authors: 'Ho, Cipar, Cui, Lee, Kim, Gibbons, Gibson, Ganger, Xing',
    title: 'More Effective Distributed ML via a Stale Synchronous Parallel Parameter Server',
    venue: 'NIPS',
    year: 2013,
    place: 'section 3',
  },
  fabrics: ['virtual', 'threads', 'mpi'],
  rung: 'statistical',
  maxStaleness: 's clocks',
  evaluates: 'the store, as rank 0 read it',
  bytesPerStep: '2n to and from the server',
  faultOutcome: 2,
  workloads: ['lenet-5/mnist', 'mlp/mnist', 'mlp/waveform'],
  claims: [{ text: 'no rank is ever more than s clocks ahead of the slowest when it reads', source: 'section 3, the SSP condition' }],
  deviations: [
    'Every pull reads the whole model; the paper’s worker cache would save pulls while a cached row is fresh enough.',
    'With s = 0 a read must not see newer updates either, so pushes wait for their clock to complete: the same as BSP.',
  ],
  tuning: 'Raise s when ranks wait for a straggler (“wait” in the report); lower it when accuracy at the same number of epochs falls.',
  options: {
    staleness: option.integer({ default: 3, min: 0, doc: 's, clocks that the fastest rank may lead the slowest by' }),
    servers: option.integer({ default: 0, min: 0, doc: 'shards of the parameter server; 0: one per rank' }),
  },
  build(context, { staleness, servers }) {
    const shards = servers || context.worldSize
    if (staleness === 0) {
      const store = { shards, admission: { kind: 'bsp' } } as const
      return trainingProgram(context, { evaluates: 'replica', store }, ...computeGradients(), ...pushAndPull(), { do: 'agree', by: 'tail' })
    }
    const store = { shards, admission: { kind: 'ssp', staleness } } as const
    return trainingProgram(
      context,
      { evaluates: 'snapshot', store, finish: [{ do: 'retire' }, { do: 'barrier' }, { do: 'pull' }] },
      ...computeGradients(),
      ...pushAndPull(),
      { do: 'agree', by: 'alone' },
    )
  },
})
