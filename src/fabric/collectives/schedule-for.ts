import type { AllReduceAlgorithm } from '../communicator.ts'
import type { CollectiveOperation } from '../core/header.ts'
import type { Steps } from '../core/progress.ts'
import { disseminationBarrier } from './barrier.ts'
import { gatherToRoot, pairwiseAllToAll, scatterFromRoot } from './direct-exchange.ts'
import { halvingDoublingAllReduce } from './halving-doubling.ts'
import { hierarchicalAllReduce } from './hierarchical.ts'
import type { Link } from './link.ts'
import { ringAllGather, ringAllReduce, ringReduceScatter } from './ring.ts'
import { treeAllReduce, treeBroadcast, treeReduce } from './tree.ts'

/** All-reduce schedules by name. `native` stands for the ring where a transport has no all-reduce of its own. */
export const allReduceSchedules = {
  native: ringAllReduce,
  ring: ringAllReduce,
  'halving-doubling': halvingDoublingAllReduce,
  tree: treeAllReduce,
  hierarchical: hierarchicalAllReduce,
} as const satisfies Record<AllReduceAlgorithm, unknown>

/** The schedule of a collective over sends and receives. */
export function scheduleFor(operation: CollectiveOperation, link: Link): Steps {
  switch (operation.kind) {
    case 'barrier':
      return disseminationBarrier(link)
    case 'broadcast':
      return treeBroadcast(link, operation.data, operation.root)
    case 'reduce':
      return treeReduce(link, operation.data, operation.op, operation.root)
    case 'allReduce':
      return allReduceSchedules[operation.algorithm ?? 'native'](link, operation.data, operation.op)
    case 'reduceScatter':
      return ringReduceScatter(link, operation.data, operation.into, operation.op)
    case 'allGather':
      return ringAllGather(link, operation.data, operation.into)
    case 'gather':
      return gatherToRoot(link, operation.data, operation.into, operation.root)
    case 'scatter':
      return scatterFromRoot(link, operation.data, operation.into, operation.root)
    case 'allToAll':
      return pairwiseAllToAll(link, operation.data, operation.into)
  }
}
