/**
 * What each collective sends, by formula (table 0.1 of the survey's conventions; n bytes, p ranks). Schedules are counted message by message
 * and must agree with it; a transport's own collectives, whose messages nobody sees, are booked by it.
 *
 *   kind            algorithm             rounds               bytes sent by a rank
 *   allReduce       ring                  2(p−1)               2n(p−1)/p
 *                   halving-doubling      2 log₂ p (+2)        2n(p−1)/p (+n)
 *                   tree                  2⌈log₂ p⌉            up to n + n⌈log₂ p⌉ (rank 0: n⌈log₂ p⌉)
 *                   hierarchical          2(g−1) + 2(q−1)      2n(g−1)/g + 2(n/g)(q−1)/q
 *   reduceScatter,
 *   allGather       ring                  p−1                  n(p−1)/p
 *   broadcast       binomial              ⌈log₂ p⌉             n × children
 *   reduce          binomial              ⌈log₂ p⌉             n (root: 0)
 *   gather, scatter linear                1                    own block (scatter: the root all others')
 *   allToAll        pairwise              p−1                  n(p−1)/p
 *   barrier         dissemination         ⌈log₂ p⌉             0
 *
 * @packageDocumentation
 */
import { blockRange } from '../communicator.ts'
import type { CollectiveOperation } from '../core/header.ts'
import { groupByHost } from './hierarchical.ts'

/** What one rank sends in one collective. */
export interface PlannedTraffic {
  /** The algorithm that the figures are those of. */
  readonly algorithm: string
  readonly rounds: number
  readonly sends: readonly { readonly to: number; readonly bytes: number; readonly messages: number }[]
}

/** The formula's figures for one rank of a group. Ranks to which nothing is sent are not named. */
export function plannedTraffic(operation: CollectiveOperation, rank: number, size: number, hostOf: readonly number[]): PlannedTraffic {
  const planned = formula(operation, rank, size, hostOf)
  return { ...planned, sends: planned.sends.filter((send) => send.messages > 0) }
}

function formula(operation: CollectiveOperation, rank: number, size: number, hostOf: readonly number[]): PlannedTraffic {
  const levels = Math.ceil(Math.log2(size))
  const right = (rank + 1) % size
  switch (operation.kind) {
    case 'barrier':
      return {
        algorithm: 'dissemination',
        rounds: levels,
        sends: Array.from({ length: levels }, (_, k) => ({ to: (rank + 2 ** k) % size, bytes: 0, messages: 1 })),
      }
    case 'broadcast':
      return { algorithm: 'binomial tree', rounds: levels, sends: broadcastSends(rank, size, operation.root, operation.data.byteLength) }
    case 'reduce':
      return { algorithm: 'binomial tree', rounds: levels, sends: reduceSends(rank, size, operation.root, operation.data.byteLength) }
    case 'allReduce':
      return plannedAllReduce(operation, rank, size, hostOf)
    case 'reduceScatter':
      return {
        algorithm: 'ring',
        rounds: size - 1,
        sends: [{ to: right, bytes: ringBytes(operation.data, rank, size, -1), messages: size - 1 }],
      }
    case 'allGather':
      return {
        algorithm: 'ring',
        rounds: size - 1,
        sends: [{ to: right, bytes: ringBytes(operation.into, rank, size, 0), messages: size - 1 }],
      }
    case 'gather':
      return {
        algorithm: 'linear',
        rounds: size > 1 ? 1 : 0,
        sends: rank === operation.root ? [] : [{ to: operation.root, bytes: operation.data.byteLength, messages: 1 }],
      }
    case 'scatter': {
      const { data } = operation
      const sends =
        rank === operation.root && data !== undefined
          ? others(rank, size).map((to) => ({ to, bytes: blockBytes(data, size, to), messages: 1 }))
          : []
      return { algorithm: 'linear', rounds: size > 1 ? 1 : 0, sends }
    }
    case 'allToAll':
      return {
        algorithm: 'pairwise',
        rounds: size - 1,
        sends: others(rank, size).map((to) => ({ to, bytes: operation.data.byteLength / size, messages: 1 })),
      }
  }
}

function plannedAllReduce(
  operation: CollectiveOperation & { kind: 'allReduce' },
  rank: number,
  size: number,
  hostOf: readonly number[],
): PlannedTraffic {
  const { data } = operation
  const levels = Math.ceil(Math.log2(size))
  const right = (rank + 1) % size
  const algorithm = operation.algorithm ?? 'native'
  if (algorithm === 'tree') {
    const sends = [...reduceSends(rank, size, 0, data.byteLength), ...broadcastSends(rank, size, 0, data.byteLength)]
    return { algorithm, rounds: 2 * levels, sends }
  }
  if (algorithm === 'halving-doubling') {
    const core = 2 ** Math.floor(Math.log2(size))
    const folded = size > core ? 2 : 0
    if (rank >= core)
      return { algorithm, rounds: 2 * Math.log2(core) + folded, sends: [{ to: rank - core, bytes: data.byteLength, messages: 1 }] }
    // Halves of odd lengths differ by an element: the figures are those of an even cut.
    const sends = Array.from({ length: Math.log2(core) }, (_, k) => ({
      to: rank ^ (2 ** k),
      bytes: (2 * data.byteLength * 2 ** k) / core,
      messages: 2,
    }))
    if (rank + core < size) sends.push({ to: rank + core, bytes: data.byteLength, messages: 1 })
    return { algorithm, rounds: 2 * Math.log2(core) + folded, sends }
  }
  const hosts = groupByHost(hostOf)
  if (algorithm === 'hierarchical' && hosts.length > 1 && hosts.every((ranks) => ranks.length === hosts[0]?.length)) {
    const inside = hosts.find((ranks) => ranks.includes(rank)) as number[]
    const g = inside.length
    const q = hosts.length
    const place = inside.indexOf(rank)
    const across = hosts.map((ranks) => ranks[place] as number)
    const neighbour = (ranks: readonly number[]) => ranks[(ranks.indexOf(rank) + 1) % ranks.length] as number
    const sends = [
      { to: neighbour(inside), bytes: (2 * data.byteLength * (g - 1)) / g, messages: 2 * (g - 1) },
      { to: neighbour(across), bytes: (2 * data.byteLength * (q - 1)) / (g * q), messages: 2 * (q - 1) },
    ]
    return { algorithm, rounds: 2 * (g - 1) + 2 * (q - 1), sends }
  }
  const bytes = ringBytes(data, rank, size, 0) + ringBytes(data, rank, size, 1)
  return { algorithm: 'ring', rounds: 2 * (size - 1), sends: [{ to: right, bytes, messages: 2 * (size - 1) }] }
}

/** Chunks r+shift, r+shift−1, …: all but one. */
function ringBytes(
  data: { readonly length: number; readonly byteLength: number; readonly BYTES_PER_ELEMENT: number },
  rank: number,
  size: number,
  shift: number,
): number {
  return data.byteLength - blockBytes(data, size, (rank + shift + 1 + size) % size)
}

function blockBytes(data: { readonly length: number; readonly BYTES_PER_ELEMENT: number }, size: number, rank: number): number {
  const { start, end } = blockRange(data.length, size, rank)
  return (end - start) * data.BYTES_PER_ELEMENT
}

function others(rank: number, size: number): number[] {
  return Array.from({ length: size }, (_, to) => to).filter((to) => to !== rank)
}

function reduceSends(rank: number, size: number, root: number, bytes: number): { to: number; bytes: number; messages: number }[] {
  const place = (rank - root + size) % size
  if (place === 0) return []
  const lowest = place & -place
  return [{ to: (place - lowest + root) % size, bytes, messages: 1 }]
}

function broadcastSends(rank: number, size: number, root: number, bytes: number): { to: number; bytes: number; messages: number }[] {
  const place = (rank - root + size) % size
  const limit = place === 0 ? size : place & -place
  const sends: { to: number; bytes: number; messages: number }[] = []
  for (let distance = 1; distance < limit; distance *= 2) {
    if (place + distance < size) sends.push({ to: (place + distance + root) % size, bytes, messages: 1 })
  }
  return sends
}
