import { applyUpdate, trainingProgram } from '../../train/parts.ts'
import { bucketParameters } from '../../train/layout.ts'
import type { Instruction } from '../../train/program.ts'
import { defineSystem, option } from '../define.ts'
import { allReduceOption, chooseAllReduce } from './all-reduce-option.ts'

/**
 * Horovod-style fused and overlapped all-reduce: gradients are packed into buckets in the order in which backward finishes them, and a bucket is summed by
 * the service thread beside the rank while backward goes on. The order is static (it is in the graph), so nothing is negotiated.
 *
 *   rank      F B₀ | B₁      | B₂      | join | update
 *   service        | Σ g₀    | Σ g₁    | Σ g₂ |
 */
export const hvd = defineSystem({
  id: 'hvd',
  title: 'Fused, overlapped all-reduce (Horovod)',
  family: 'data-parallel',
  summary: 'BSP whose all-reduce runs bucket by bucket beside the backward pass.',
  reference: {
    authors: 'Sergeev, Del Balso',
    title: 'Horovod: fast and easy distributed deep learning in TensorFlow',
    venue: 'arXiv',
    year: 2018,
    url: 'https://arxiv.org/abs/1802.05799',
  },
  fabrics: ['virtual', 'threads', 'mpi'],
  rung: '1e-5',
  maxStaleness: '0',
  evaluates: 'the replica, which all ranks share',
  bytesPerStep: '2n(p−1)/p in ⌈n/bucket⌉ exchanges',
  faultOutcome: 2,
  workloads: ['lenet-5/mnist', 'mlp/mnist', 'mlp/waveform'],
  claims: [
    {
      text: '90 % scaling efficiency for Inception V3 and ResNet-101, 68 % for VGG-16, on 128 servers with 4 GPUs each',
      source: 'project page',
    },
    { text: 'the parameters equal those of BSP: only the time of the exchange changes', source: 'derived' },
  ],
  deviations: [
    'The order of the buckets is static; the paper’s ranks negotiate which tensors are ready.',
    'Buckets default to 1 MiB: the models here are small.',
  ],
  tuning: 'Raise bucketBytes when a step has many small exchanges (rounds in the report); lower it when the first exchange starts late.',
  options: {
    bucketBytes: option.integer({ default: 1 << 20, min: 1024, doc: 'most bytes of one fused exchange' }),
    allReduce: allReduceOption,
  },
  build(context, { bucketBytes, allReduce }) {
    const algorithm = chooseAllReduce(allReduce, context.reproducible)
    const buckets = bucketParameters(context.backwardOrder, context.parameterSizes, bucketBytes)
    const backward = buckets.flatMap((_, bucket): Instruction[] => [
      { do: 'gradients', segment: bucket },
      { do: 'allReduce', buffer: 'gradients', bucket, algorithm, overlap: true },
    ])
    return trainingProgram(
      context,
      { evaluates: 'replica', buckets },
      { do: 'batch' },
      ...backward,
      { do: 'join' },
      { do: 'agree', by: 'tail' },
      ...applyUpdate(),
    )
  },
})
