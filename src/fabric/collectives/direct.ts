/**
 * Collectives where every rank sees every buffer (threads, virtual): each rank does its share with plain copies and folds, nothing is sent.
 *
 *   allReduce, p = 3: rank r folds slice r of all buffers in rank order and writes it back to all of them
 *
 *              slice 0   slice 1   slice 2
 *   rank 0     ███████   .......   .......        Σ = ((x₀ + x₁) + x₂): the same left fold for every element,
 *   rank 1     .......   ███████   .......        so the result is the same whichever rank made it
 *   rank 2     .......   .......   ███████
 *
 * A share only touches its own slice or the caller's own array, so the shares of one collective may run at the same time.
 * @packageDocumentation
 */
import { kernelsFor } from '../../kernels/load.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import { Segment } from '../../memory/segment.ts'
import { blockRange, type ReduceOp } from '../communicator.ts'
import { copy, fold } from '../core/fold.ts'
import type { CollectiveOperation } from '../core/header.ts'
import { part } from './link.ts'

/** The arrays that the ranks passed. */
export interface Passed {
  data(rank: number): NumericArray
  /** Elements `[start, end)` of it. */
  part(rank: number, start: number, end: number): NumericArray
}

/** Elements folded at a time over all ranks, so that what was just written is still in the cache: 32 KiB of float32. */
const tileLength = 8192
/** Slices begin at multiples of this many elements: no two ranks write the same cache line. */
const sliceStep = 16

/** Rank `rank`'s share of a collective over `size` ranks. All ranks must have arrived before, and none may go on before all shares are done. */
export function directShare(operation: CollectiveOperation, rank: number, size: number, passed: Passed): void {
  switch (operation.kind) {
    case 'barrier':
      return
    case 'broadcast':
      if (rank !== operation.root) copy(passed.data(operation.root), operation.data)
      return
    case 'reduce':
      foldSlice(operation.op, operation.data.length, rank, size, passed, [operation.root])
      return
    case 'allReduce':
      foldSlice(operation.op, operation.data.length, rank, size, passed, undefined)
      return
    case 'reduceScatter': {
      const { start, end } = blockRange(operation.data.length, size, rank)
      const parts = Array.from({ length: size }, (_, peer) => part(passed.data(peer), start, end))
      foldAll(operation.op, parts)
      copy(parts[0] as NumericArray, operation.into)
      return
    }
    case 'allGather':
      for (let peer = 0; peer < size; peer++) {
        const { start, end } = blockRange(operation.into.length, size, peer)
        copy(passed.data(peer), part(operation.into, start, end))
      }
      return
    case 'gather':
      if (rank !== operation.root) return
      for (let peer = 0; peer < size; peer++) {
        const into = operation.into as NumericArray
        const { start, end } = blockRange(into.length, size, peer)
        copy(passed.data(peer), part(into, start, end))
      }
      return
    case 'scatter': {
      const data = passed.data(operation.root)
      const { start, end } = blockRange(data.length, size, rank)
      copy(part(data, start, end), operation.into)
      return
    }
    case 'allToAll': {
      const block = operation.data.length / size
      for (let peer = 0; peer < size; peer++) {
        copy(part(passed.data(peer), rank * block, (rank + 1) * block), part(operation.into, peer * block, (peer + 1) * block))
      }
      return
    }
  }
}

/** Folds slice `rank` of all buffers in rank order and writes it to the buffers of `targets` (all when undefined). */
function foldSlice(op: ReduceOp, length: number, rank: number, size: number, passed: Passed, targets: readonly number[] | undefined): void {
  const { start, end } = sliceOf(length, size, rank)
  if (start === end || size === 1) return
  if (size === 2 && targets === undefined) {
    const a = passed.part(0, start, end)
    const b = passed.part(1, start, end)
    const segment = a.buffer === b.buffer ? Segment.of(a) : undefined
    if (segment !== undefined) {
      kernelsFor(segment).reduceBoth(op, a, b)
      return
    }
  }
  const buffers = Array.from({ length: size }, (_, peer) => passed.data(peer))
  for (let tile = start; tile < end; tile += tileLength) {
    const stop = Math.min(end, tile + tileLength)
    const parts = buffers.map((buffer) => part(buffer, tile, stop))
    foldAll(op, parts)
    for (const target of targets ?? parts.keys()) if (target !== 0) copy(parts[0] as NumericArray, parts[target] as NumericArray)
  }
}

/** parts[0] = ((parts[0] op parts[1]) op parts[2]) … */
function foldAll(op: ReduceOp, parts: readonly NumericArray[]): void {
  const into = parts[0] as NumericArray
  for (let peer = 1; peer < parts.length; peer++) fold(op, into, parts[peer] as NumericArray, into)
}

function sliceOf(length: number, size: number, rank: number): { start: number; end: number } {
  const steps = blockRange(Math.ceil(length / sliceStep), size, rank)
  return { start: Math.min(length, steps.start * sliceStep), end: Math.min(length, steps.end * sliceStep) }
}
