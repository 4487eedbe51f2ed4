import { applyUpdate, computeGradients, pushAndPull, sumGradients, trainingProgram } from '../../train/parts.ts'
import { defineSystem, option } from '../define.ts'
import { allReduceOption, chooseAllReduce } from './all-reduce-option.ts'

/**
 * Bulk synchronous parallel SGD: every rank computes the gradient of its slice of the global batch, the sum over the ranks is the gradient of the whole,
 * and one identical update happens everywhere.
 *
 *   g_i = Σ_{x in batch_i} w_x·∇l(w, x) / B        partial sum: uneven slices need no weights
 *   g   = Σ_i g_i                                  all-reduce, or the parameter server
 *   w   = opt(w, g)                                on every rank, or once at the server
 */
export const bsp = defineSystem({
  id: 'bsp',
  title: 'Bulk synchronous parallel SGD',
  family: 'data-parallel',
  summary: 'All ranks sum their gradients before every update; equal to serial SGD with the same global batch.',
  reference: { authors: 'Valiant', title: 'A bridging model for parallel computation', venue: 'Communications of the ACM', year: 1990 },
  fabrics: ['virtual', 'threads', 'mpi', 'hybrid'],
  rung: '1e-5',
  maxStaleness: '0',
  evaluates: 'the replica, which all ranks share',
  bytesPerStep: '2n(p−1)/p (ring); 2n to and from the server',
  faultOutcome: 2,
  workloads: ['lenet-5/mnist', 'mlp/mnist', 'mlp/waveform'],
  claims: [
    {
      text: 'the parameters after 100 steps equal those of one worker with the same global batch to 1e-5',
      source: 'derived: the sum of partial sums is the sum',
    },
  ],
  deviations: [],
  tuning:
    'Raise globalBatchSize (and the learning rate with it) when “communicate” takes more than a fifth of a step; choose `tree` for small models on many hosts, `ring` for large ones.',
  options: {
    allReduce: allReduceOption,
    aggregate: option.choice(['all-reduce', 'parameter-server'], { default: 'all-reduce', doc: 'who adds the gradients up' }),
    servers: option.integer({ default: 0, min: 0, doc: 'shards of the parameter server; 0: one per rank' }),
  },
  build(context, { allReduce, aggregate, servers }) {
    if (aggregate === 'parameter-server') {
      const store = { shards: servers || context.worldSize, admission: { kind: 'bsp' } } as const
      return trainingProgram(context, { evaluates: 'replica', store }, ...computeGradients(), ...pushAndPull(), { do: 'agree', by: 'tail' })
    }
    const algorithm = chooseAllReduce(allReduce, context.reproducible)
    return trainingProgram(context, { evaluates: 'replica' }, ...computeGradients(), ...sumGradients(algorithm), ...applyUpdate())
  },
})
