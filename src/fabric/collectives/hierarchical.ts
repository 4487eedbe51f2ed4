/**
 * All-reduce in two levels, for hosts whose ranks share memory: little goes over the wire between the hosts.
 *
 *   g ranks on each of q hosts (g = 2, q = 2)          hosts with different numbers of ranks
 *
 *   1  reduce-scatter inside each host                  1  tree to the first rank of each host
 *        host a: 0 ⇄ 1        host b: 2 ⇄ 3             2  ring among those
 *   2  all-reduce of slice j among the ranks j          3  tree back inside each host
 *        0 ⇄ 2 (slice 0)      1 ⇄ 3 (slice 1)
 *   3  all-gather inside each host
 *
 * Equal hosts: 2(g−1) + 2(q−1) rounds; sent per rank 2n(g−1)/g inside and 2(n/g)(q−1)/q between the hosts.
 * Every element is folded along one fixed path and then only copied, so all ranks hold the same bits.
 * @packageDocumentation
 */
import type { NumericArray } from '../../memory/dtype.ts'
import { blockRange, type ReduceOp } from '../communicator.ts'
import type { Steps } from '../core/progress.ts'
import { type Link, part } from './link.ts'
import { ringAllGather, ringAllReduce, ringReduceScatter } from './ring.ts'
import { treeBroadcast, treeReduce } from './tree.ts'

/** `data[i]` = fold over the ranks, in place on every rank. */
export function* hierarchicalAllReduce(link: Link, data: NumericArray, op: ReduceOp): Steps {
  const hosts = groupByHost(link.hostOf)
  const mine = hosts.find((ranks) => ranks.includes(link.rank)) as number[]
  const inside = subLink(link, mine)
  const equal = hosts.every((ranks) => ranks.length === mine.length)
  if (!equal) {
    yield* treeReduce(inside, data, op, 0)
    if (inside.rank === 0)
      yield* ringAllReduce(
        subLink(
          link,
          hosts.map((ranks) => ranks[0] as number),
        ),
        data,
        op,
      )
    yield* treeBroadcast(inside, data, 0)
    return
  }
  const { start, end } = blockRange(data.length, inside.size, inside.rank)
  const slice = part(data, start, end)
  yield* ringReduceScatter(inside, data, slice, op)
  yield* ringAllReduce(
    subLink(
      link,
      hosts.map((ranks) => ranks[inside.rank] as number),
    ),
    slice,
    op,
  )
  yield* ringAllGather(inside, slice, data)
}

/** Ranks of each host, hosts in order of their first rank. */
export function groupByHost(hostOf: readonly number[]): number[][] {
  const hosts = new Map<number, number[]>()
  for (const [rank, host] of hostOf.entries()) hosts.set(host, [...(hosts.get(host) ?? []), rank])
  return [...hosts.values()]
}

/** The same link among some of its ranks. */
function subLink(link: Link, ranks: readonly number[]): Link {
  return {
    rank: ranks.indexOf(link.rank),
    size: ranks.length,
    hostOf: ranks.map((rank) => link.hostOf[rank] as number),
    pieceBytes: link.pieceBytes,
    send: (data, to) => link.send(data, ranks[to] as number),
    recv: (into, from) => link.recv(into, ranks[from] as number),
    take: (like, length) => link.take(like, length),
    giveBack: (array) => link.giveBack(array),
    reduce: (op, a, b, into) => link.reduce(op, a, b, into),
    copy: (from, into) => link.copy(from, into),
  }
}
