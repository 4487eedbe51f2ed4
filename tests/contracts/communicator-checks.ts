/**
 * The rank module of the communicator contract: every rank runs all checks in one launch and returns what was wrong. Values are small whole
 * numbers, so sums are exact in every element kind and any order; only the reproducibility checks use numbers that round.
 */
import { allReduceAlgorithms, blockRange, type Communicator, type Request } from '../../src/fabric/communicator.ts'
import type { RankEnvironment, RankModule, RankTask } from '../../src/fabric/launch.ts'
import type { NumericArray } from '../../src/memory/dtype.ts'
import {
  type ChecksJob,
  dtypes,
  element,
  expect,
  type Failures,
  fill,
  folded,
  type Movable,
  movable,
  ops,
  pooled,
  rotation,
} from './check-tools.ts'
import { inFlight } from './in-flight-checks.ts'

const lengths = [0, 1, 2, 7, 31, 1009]
const mebibyte = 2 ** 20

type Check = (env: RankEnvironment<ChecksJob>, failures: Failures) => RankTask

export const rankModule: RankModule<ChecksJob, Failures> = {
  prepare: async () => ({ sharedBytes: 0, bytesPerRank: 48 * mebibyte }),
  *run(env) {
    const failures: Failures = []
    for (const check of checks) {
      env.status(check.name, 0)
      try {
        yield* check(env, failures)
      } catch (error) {
        failures.push(`${check.name}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`)
        throw new Error(failures.join('\n'))
      }
    }
    return failures
  },
}

const checks: readonly Check[] = [
  allReduces,
  longAllReduces,
  reproducible,
  rooted,
  blocks,
  allToAlls,
  heapArrays,
  inPlace,
  inFlight,
  tags,
  splits,
  duplicates,
  disagreements,
  agreement,
]

function* allReduces(env: RankEnvironment<ChecksJob>, failures: Failures): RankTask {
  const { comm } = env
  let turn = 0
  for (const algorithm of allReduceAlgorithms) {
    for (const dtype of dtypes) {
      for (const op of ops) {
        for (const length of lengths) {
          const data = pooled(env, dtype, length)
          fill(data, comm.rank)
          yield comm.start({ kind: 'allReduce', data, op, algorithm }, { waitsAtOnce: turn++ % 2 === 0 })
          expect(failures, `allReduce ${algorithm} ${dtype} ${op} ${length}`, data, (i) => folded(op, comm.size, i))
        }
      }
    }
  }
}

function* longAllReduces(env: RankEnvironment<ChecksJob>, failures: Failures): RankTask {
  const { comm } = env
  const data = pooled(env, 'float32', env.job.long) as Float32Array<ArrayBuffer>
  fill(data, comm.rank)
  const start = data.slice()
  for (const algorithm of allReduceAlgorithms) {
    data.set(start)
    yield comm.start({ kind: 'allReduce', data, op: 'sum', algorithm }, { waitsAtOnce: true })
    const what = `allReduce ${algorithm} float32 sum ${data.length}`
    expect(failures, what, data, (i) => folded('sum', comm.size, i), comm.size > 3 ? 13 : 1)
  }
}

/** Same bits on all ranks; on `threads` and `virtual` the native sum is the left fold in rank order. */
function* reproducible(env: RankEnvironment<ChecksJob>, failures: Failures): RankTask {
  const { comm } = env
  const length = 1009
  const rounding = (rank: number, i: number): number => Math.fround(Math.sin(1 + i * 12.9898 + rank * 78.233) * 1e3)
  for (const algorithm of allReduceAlgorithms) {
    if (algorithm === 'native' && comm.transport !== 'threads' && comm.transport !== 'virtual') continue
    const data = pooled(env, 'float32', length)
    for (let i = 0; i < length; i++) data[i] = rounding(comm.rank, i)
    yield comm.start({ kind: 'allReduce', data, op: 'sum', algorithm })
    const bits = pooled(env, 'int32', length, 'bits')
    bits.set(new Int32Array(data.buffer, data.byteOffset, length))
    const own = Int32Array.from(bits)
    yield comm.start({ kind: 'broadcast', data: bits, root: 0 })
    expect(failures, `bits of allReduce ${algorithm}`, bits, (i) => own[i] as number)
    if (algorithm !== 'native') continue
    expect(failures, 'allReduce native in rank order', data, (i) => {
      let sum = rounding(0, i)
      for (let rank = 1; rank < comm.size; rank++) sum = Math.fround(sum + rounding(rank, i))
      return sum
    })
  }
}

function* rooted(env: RankEnvironment<ChecksJob>, failures: Failures): RankTask {
  const { comm } = env
  const [kindOf, reducedKindOf, opOf] = [rotation(movable), rotation(dtypes), rotation([...ops, 'sum'] as const)]
  for (let root = 0; root < comm.size; root++) {
    for (const length of lengths) {
      const dtype = kindOf()
      const data = pooled(env, dtype, length)
      fill(data, comm.rank)
      yield comm.start({ kind: 'broadcast', data, root }, { waitsAtOnce: root % 2 === 0 })
      expect(failures, `broadcast ${dtype} root ${root} ${length}`, data, (i) => element(root, i, data))
      const [reducible, op] = [pooled(env, reducedKindOf(), length), opOf()]
      fill(reducible, comm.rank)
      yield comm.start({ kind: 'reduce', data: reducible, op, root }, { waitsAtOnce: root % 2 === 1 })
      if (comm.rank === root) {
        const what = `reduce ${op} ${reducible.constructor.name} root ${root} ${length}`
        expect(failures, what, reducible, (i) => folded(op, comm.size, i))
      }

      const { start, end } = blockRange(length, comm.size, comm.rank)
      const block = pooled(env, dtype, end - start, 'block')
      const whole = pooled(env, dtype, length, 'whole')
      fill(block, 3, start)
      yield comm.start(comm.rank === root ? { kind: 'gather', data: block, into: whole, root } : { kind: 'gather', data: block, root })
      if (comm.rank === root) expect(failures, `gather ${dtype} root ${root} ${length}`, whole, (i) => element(3, i, whole))
      fill(whole, comm.rank)
      yield comm.start(comm.rank === root ? { kind: 'scatter', data: whole, into: block, root } : { kind: 'scatter', into: block, root })
      expect(failures, `scatter ${dtype} root ${root} ${length}`, block, (i) => element(root, start + i, block))
    }
  }
  yield comm.start({ kind: 'barrier' }, { waitsAtOnce: true })
  yield comm.start({ kind: 'barrier' })
}

function* blocks(env: RankEnvironment<ChecksJob>, failures: Failures): RankTask {
  const { comm } = env
  const kindOf = rotation(movable)
  for (const [turn, op] of ops.entries()) {
    for (const [index, length] of lengths.entries()) {
      const { start, end } = blockRange(length, comm.size, comm.rank)
      const reduced = dtypes[(turn + index) % dtypes.length] as Movable
      const data = pooled(env, reduced, length)
      const into = pooled(env, reduced, end - start, 'block')
      fill(data, comm.rank)
      yield comm.start({ kind: 'reduceScatter', data, into, op }, { waitsAtOnce: index % 2 === 0 })
      expect(failures, `reduceScatter ${op} ${reduced} ${length}`, into, (i) => folded(op, comm.size, start + i))
      const dtype = kindOf()
      const block = pooled(env, dtype, end - start, 'block')
      fill(block, 5, start)
      const whole = pooled(env, dtype, length, 'whole')
      yield comm.start({ kind: 'allGather', data: block, into: whole }, { waitsAtOnce: index % 2 === 1 })
      expect(failures, `allGather ${dtype} ${length}`, whole, (i) => element(5, i, whole))
    }
  }
}

function* allToAlls(env: RankEnvironment<ChecksJob>, failures: Failures): RankTask {
  const { comm } = env
  for (const [turn, block] of [0, 1, 13, 257, 2, 14, 200, 1].entries()) {
    const dtype = movable[Math.floor((3 * turn) / 2) % movable.length] as Movable
    const data = pooled(env, dtype, block * comm.size, 'b')
    const into = pooled(env, dtype, block * comm.size, 'c')
    fill(data, comm.rank)
    yield comm.start({ kind: 'allToAll', data, into }, { waitsAtOnce: turn % 2 === 0 })
    const wanted = (i: number) => element(Math.floor(i / block), comm.rank * block + (i % block), into)
    expect(failures, `allToAll ${dtype} ${block}`, into, wanted)
  }
}

/** Arrays that lie outside the segment, on one rank or on all. */
function* heapArrays(env: RankEnvironment<ChecksJob>, failures: Failures): RankTask {
  const { comm } = env
  for (const [name, onHeap] of [
    ['all', true],
    ['one', comm.rank === comm.size - 1],
  ] as const) {
    for (const length of [3, 1009, 40_000]) {
      const data = onHeap ? new Float32Array(length) : pooled(env, 'float32', length)
      fill(data, comm.rank)
      yield comm.start({ kind: 'allReduce', data, op: 'sum' }, { waitsAtOnce: true })
      expect(failures, `allReduce of ${name} on the heap, ${length}`, data, (i) => folded('sum', comm.size, i))
      fill(data, comm.rank)
      yield comm.start({ kind: 'broadcast', data, root: comm.size - 1 })
      expect(failures, `broadcast of ${name} on the heap, ${length}`, data, (i) => element(comm.size - 1, i))
      const next = (comm.rank + 1) % comm.size
      const previous = (comm.rank + comm.size - 1) % comm.size
      fill(data, comm.rank)
      const got = new Float32Array(length)
      const receiving = comm.start({ kind: 'recv', into: got, from: previous, tag: 9 })
      yield comm.start({ kind: 'send', data, to: next, tag: 9 })
      yield receiving
      expect(failures, `send/recv of ${name} on the heap, ${length}`, got, (i) => element(previous, i))
    }
  }
}

/** A block may lie in its place in the whole array. */
function* inPlace(env: RankEnvironment<ChecksJob>, failures: Failures): RankTask {
  const { comm } = env
  const length = 1009
  const { start, end } = blockRange(length, comm.size, comm.rank)
  const whole = pooled(env, 'float32', length, 'b')
  whole.fill(0)
  for (let i = start; i < end; i++) whole[i] = element(2, i)
  yield comm.start({ kind: 'allGather', data: whole.subarray(start, end) as NumericArray, into: whole }, { waitsAtOnce: true })
  expect(failures, 'allGather in place', whole, (i) => element(2, i))
  fill(whole, comm.rank)
  const block = whole.subarray(start, end) as NumericArray
  yield comm.start({ kind: 'reduceScatter', data: whole, into: block, op: 'sum' })
  expect(failures, 'reduceScatter in place', block, (i) => folded('sum', comm.size, start + i))
}

/** Tags pick messages whatever their order; equal tags keep it. */
function* tags(env: RankEnvironment<ChecksJob>, failures: Failures): RankTask {
  const { comm } = env
  const next = (comm.rank + 1) % comm.size
  const previous = (comm.rank + comm.size - 1) % comm.size
  const count = 20
  const sent = Array.from({ length: count }, (_, tag) => Int32Array.of(comm.rank, tag))
  const requests = sent.map((data, tag) => comm.start({ kind: 'send', data, to: next, tag: 100 + tag }))
  for (let tag = count - 1; tag >= 0; tag--) {
    const into = new Int32Array(2)
    yield comm.start({ kind: 'recv', into, from: previous, tag: 100 + tag })
    expect(failures, `tag ${tag}`, into, (i) => (i === 0 ? previous : tag))
  }
  for (const request of requests) yield request

  const ordered = Array.from({ length: count }, (_, index) => comm.start({ kind: 'send', data: Int32Array.of(index), to: next, tag: 7 }))
  for (let index = 0; index < count; index++) {
    const into = new Int32Array(1)
    yield comm.start({ kind: 'recv', into, from: previous, tag: 7 })
    expect(failures, 'order of equal tags', into, () => index)
  }
  for (const request of ordered) yield request
}

function* splits(env: RankEnvironment<ChecksJob>, failures: Failures): RankTask {
  const { comm } = env
  for (let round = 0; round < 3; round++) {
    const request = comm.startSplit(comm.rank % 2, -comm.rank)
    yield request
    const half = request.communicator
    const members = Array.from({ length: comm.size }, (_, rank) => rank)
      .filter((rank) => rank % 2 === comm.rank % 2)
      .reverse()
    if (half.size !== members.length || members[half.rank] !== comm.rank)
      failures.push(`split: rank ${half.rank} of ${half.size} in round ${round}`)
    for (const algorithm of allReduceAlgorithms) {
      const data = pooled(env, 'float64', 101)
      data.fill(comm.rank + 1)
      yield half.start({ kind: 'allReduce', data, op: 'sum', algorithm })
      expect(failures, `allReduce ${algorithm} in a half`, data, () => members.reduce((sum, rank) => sum + rank + 1, 0))
    }
    // A group of a group.
    const again = half.startSplit(0, half.rank)
    yield again
    const last = again.communicator
    const data = Int32Array.of(comm.rank)
    yield last.start({ kind: 'broadcast', data, root: last.size - 1 })
    expect(failures, 'broadcast in a group of a group', data, () => members[members.length - 1] as number)
    last.close()
    half.close()
  }
}

/** Messages and collectives of two communicators do not mix. */
function* duplicates(env: RankEnvironment<ChecksJob>, failures: Failures): RankTask {
  const { comm } = env
  const request = comm.startSplit(0, comm.rank)
  yield request
  const twin: Communicator = request.communicator
  const a = pooled(env, 'float32', 1009, 'b')
  const b = pooled(env, 'float32', 1009, 'c')
  fill(a, comm.rank)
  fill(b, comm.rank)
  const [first, second] = comm.rank % 2 === 0 ? [comm, twin] : [twin, comm]
  const requests = [first, second].map((each) =>
    each.start({ kind: 'allReduce', data: each === comm ? a : b, op: each === comm ? 'sum' : 'max' }),
  )
  for (const each of requests) yield each
  expect(failures, 'sum on the first', a, (i) => folded('sum', comm.size, i))
  expect(failures, 'max on the twin', b, (i) => folded('max', comm.size, i))
  twin.close()
}

/** Ranks that do not do the same thing are told so, all of them, and can go on. */
function* disagreements(env: RankEnvironment<ChecksJob>, failures: Failures): RankTask {
  const { comm } = env
  if (comm.size === 1) return
  const odd = comm.rank === comm.size - 1
  const other = pooled(env, 'float32', odd ? 11 : 10, 'b')
  const data = pooled(env, 'float32', 10, 'c')
  const cases: [string, () => Request][] = [
    ['lengths', () => comm.start({ kind: 'allReduce', data: other, op: 'sum' })],
    ['operations', () => comm.start({ kind: 'allReduce', data, op: odd ? 'max' : 'sum' }, { waitsAtOnce: true })],
    ['kinds', () => comm.start(odd ? { kind: 'barrier' } : { kind: 'broadcast', data, root: 0 }, { waitsAtOnce: true })],
    ['roots', () => comm.start({ kind: 'broadcast', data, root: odd ? 1 : 0 })],
    ['algorithms', () => comm.start({ kind: 'allReduce', data, op: 'sum', algorithm: odd ? 'tree' : 'ring' })],
  ]
  for (const [name, start] of cases) {
    let caught: unknown
    try {
      yield start()
    } catch (error) {
      caught = error
    }
    const { code, details } = (caught ?? {}) as { code?: string; details?: { ranks?: number[] } }
    if (code !== 'PROTOCOL') failures.push(`disagreeing ${name}: expected a ProtocolError, got ${String(caught)}`)
    else if (!(details?.ranks?.includes(comm.size - 1) || comm.size === 2))
      failures.push(`disagreeing ${name}: ranks ${String(details?.ranks)}`)
  }
  fill(data, comm.rank)
  yield comm.start({ kind: 'allReduce', data, op: 'sum' })
  expect(failures, 'after a disagreement', data, (i) => folded('sum', comm.size, i))
}

function* agreement(env: RankEnvironment<ChecksJob>, failures: Failures): RankTask {
  const { comm } = env
  const request = comm.startSplit(0, comm.rank)
  yield request
  const agreed = request.communicator
  yield agreed.agree('program 1')
  for (let round = 0; round < 3; round++) {
    const data = pooled(env, 'float32', 1009, 'b')
    fill(data, comm.rank)
    yield agreed.start({ kind: 'allReduce', data, op: 'sum' }, { waitsAtOnce: round % 2 === 0 })
    expect(failures, 'allReduce after agree', data, (i) => folded('sum', comm.size, i))
    yield agreed.start({ kind: 'allReduce', data, op: 'max', algorithm: 'ring' })
  }
  agreed.close()
  if (comm.size === 1) return
  let caught: unknown
  try {
    yield comm.agree(comm.rank === 1 ? 'program 2' : 'program 1')
  } catch (error) {
    caught = error
  }
  const { code, details } = (caught ?? {}) as { code?: string; details?: { ranks?: number[] } }
  if (code !== 'PROTOCOL' || (comm.size > 2 && String(details?.ranks) !== '1'))
    failures.push(`agree: ${String(caught)} ${String(details?.ranks)}`)
}
