import { computeGradients, pushAndPull, trainingProgram } from '../../train/parts.ts'
import { defineSystem, option } from '../define.ts'

/**
 * Asynchronous SGD: push the gradient, pull the parameters, never wait for others.
 *
 *   worker:  w~ = pull();  g = ∇l(w~);  push(g)          server, on each push:  w = w − η·g
 */
export const asp = defineSystem({
  id: 'asp',
  title: 'Asynchronous SGD',
  family: 'data-parallel',
  summary: 'A parameter server that applies every gradient on arrival; nobody waits for anybody.',
  reference: {
    authors: 'Recht, Ré, Wright, Niu',
    title: 'Hogwild!: A Lock-Free Approach to Parallelizing Stochastic Gradient Descent',
    venue: 'NIPS',
    year: 2011,
  },
  fabrics: ['virtual', 'threads', 'mpi'],
  rung: 'statistical',
  maxStaleness: 'unbounded (about p − 1 with equal speeds)',
  evaluates: 'the store, as rank 0 read it',
  bytesPerStep: '2n to and from the server',
  faultOutcome: 2,
  workloads: ['lenet-5/mnist', 'mlp/mnist', 'mlp/waveform'],
  claims: [{ text: 'no rank waits for another between two updates', source: 'by construction' }],
  deviations: ['Shards are locked while they are updated or read, so a read is never torn inside a shard; it may be across shards.'],
  tuning: 'Lower the learning rate or the momentum when the loss oscillates: asynchrony adds momentum of its own.',
  options: { servers: option.integer({ default: 0, min: 0, doc: 'shards of the parameter server; 0: one per rank' }) },
  build: (context, { servers }) =>
    trainingProgram(
      context,
      {
        evaluates: 'snapshot',
        store: { shards: servers || context.worldSize, admission: { kind: 'asp' } },
        finish: [{ do: 'retire' }, { do: 'barrier' }, { do: 'pull' }],
      },
      ...computeGradients(),
      ...pushAndPull(),
      { do: 'agree', by: 'alone' },
    ),
})
