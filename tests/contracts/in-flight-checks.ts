/** Operations of all kinds on the way at once. */
import { allReduceAlgorithms, blockRange, type Operation, type ReduceOp, type Request } from '../../src/fabric/communicator.ts'
import type { RankEnvironment, RankTask } from '../../src/fabric/launch.ts'
import type { NumericArray } from '../../src/memory/dtype.ts'
import { type ChecksJob, dtypes, element, expect, type Failures, fill, folded, type Movable, movable, ops, pooled } from './check-tools.ts'

/** Many operations of all kinds under way, waited for in another order on every second rank. */
export function* inFlight(env: RankEnvironment<ChecksJob>, failures: Failures): RankTask {
  const { comm } = env
  const started = Array.from({ length: 28 }, (_, index) => startOne(env, index))
  const order = started.map((_, index) => (comm.rank % 2 === 0 ? index : started.length - 1 - index))
  for (const index of order) for (const request of started[index]?.requests ?? []) yield request
  for (const { what, array, wanted } of started) if (array !== undefined) expect(failures, `in flight: ${what}`, array, wanted)
}

interface Started {
  readonly requests: readonly Request[]
  readonly what: string
  /** What to look at, where this rank has a result. */
  readonly array?: NumericArray | undefined
  readonly wanted: (i: number) => number
}

/** Starts operation number `index` of many: the kinds in turn, with the element kinds and operations that they allow. */
function startOne(env: RankEnvironment<ChecksJob>, index: number): Started {
  const { comm } = env
  const dtype = movable[index % movable.length] as Movable
  const [reducible, op] = [dtypes[index % dtypes.length] as Movable, ops[index % ops.length] as ReduceOp]
  const length = 50 + index * 37
  const root = index % comm.size
  const { start, end } = blockRange(length, comm.size, comm.rank)
  const take = (name: string, of: Movable, size: number) => pooled(env, of, size, `flight ${index} ${name}`)
  const filled = (name: string, of: Movable, size: number, from = comm.rank, first = 0) => {
    const array = take(name, of, size)
    fill(array, from, first)
    return array
  }
  const one = (operation: Operation, array: NumericArray | undefined, wanted: (i: number) => number): Started => ({
    requests: [comm.start(operation)],
    what: `${operation.kind} ${index}`,
    array,
    wanted,
  })
  switch (index % 9) {
    case 0: {
      const data = filled('data', dtype, length)
      return one({ kind: 'broadcast', data, root }, data, (i) => element(root, i, data))
    }
    case 1: {
      const data = filled('data', reducible, length)
      return one({ kind: 'reduce', data, op, root }, comm.rank === root ? data : undefined, (i) => folded(op, comm.size, i))
    }
    case 2: {
      const [data, into] = [filled('data', reducible, length), take('into', reducible, end - start)]
      return one({ kind: 'reduceScatter', data, into, op }, into, (i) => folded(op, comm.size, start + i))
    }
    case 3: {
      const [data, into] = [filled('data', dtype, end - start, 5, start), take('into', dtype, length)]
      return one({ kind: 'allGather', data, into }, into, (i) => element(5, i, into))
    }
    case 4: {
      const data = filled('data', dtype, end - start, 3, start)
      const into = comm.rank === root ? take('into', dtype, length) : undefined
      return one({ kind: 'gather', data, root, ...(into && { into }) }, into, (i) => element(3, i, into))
    }
    case 5: {
      const into = take('into', dtype, end - start)
      const data = comm.rank === root ? filled('data', dtype, length) : undefined
      return one({ kind: 'scatter', into, root, ...(data && { data }) }, into, (i) => element(root, start + i, into))
    }
    case 6: {
      const block = 10 + index
      const [data, into] = [filled('data', dtype, block * comm.size), take('into', dtype, block * comm.size)]
      return one({ kind: 'allToAll', data, into }, into, (i) => element(Math.floor(i / block), comm.rank * block + (i % block), into))
    }
    case 7: {
      const [next, previous] = [(comm.rank + 1) % comm.size, (comm.rank + comm.size - 1) % comm.size]
      const [data, into] = [filled('data', dtype, length), take('into', dtype, length)]
      const receiving = comm.start({ kind: 'recv', into, from: previous, tag: index })
      const sending = comm.start({ kind: 'send', data, to: next, tag: index })
      return { requests: [receiving, sending], what: `send/recv ${index}`, array: into, wanted: (i) => element(previous, i, into) }
    }
    default: {
      const algorithm = allReduceAlgorithms[index % allReduceAlgorithms.length] as (typeof allReduceAlgorithms)[number]
      const data = filled('data', reducible, length)
      return one({ kind: 'allReduce', data, op, algorithm }, data, (i) => folded(op, comm.size, i))
    }
  }
}
