/**
 * From an operation to the arguments of the MPI call that does it. The non-blocking form of each call takes the same arguments and a request.
 * @packageDocumentation
 */
import { type DType, dtypeOf, type NumericArray } from '../../memory/dtype.ts'
import { copy } from '../core/fold.ts'
import type { CollectiveOperation } from '../core/header.ts'
import { part } from '../collectives/link.ts'
import { blockRange } from '../communicator.ts'
import type { CallName, Memory, Mpi, Pointer } from './bindings.ts'
import { blocksOf, countOf, overlap } from './mpi-buffers.ts'

/** Blocking call, its non-blocking twin, and the arguments up to the request. */
export interface PreparedCall {
  readonly blocking: CallName
  readonly started: CallName
  readonly args: readonly (Memory | number)[]
  /** What is left to do once the call has completed. */
  readonly after?: () => void
}

/** The call for `operation` on `comm`. */
export function mpiCall(mpi: Mpi, comm: Pointer, operation: CollectiveOperation, rank: number, size: number): PreparedCall {
  const type = (array: NumericArray): Pointer => mpi.datatypes[dtypeOf(array) as DType]
  switch (operation.kind) {
    case 'barrier':
      return { blocking: 'MPI_Barrier', started: 'MPI_Ibarrier', args: [comm] }
    case 'broadcast': {
      const { data, root } = operation
      return { blocking: 'MPI_Bcast', started: 'MPI_Ibcast', args: [data, countOf(data), type(data), root, comm] }
    }
    case 'reduce': {
      const { data, op, root } = operation
      const [from, into]: [Memory, Memory] = rank === root ? [mpi.inPlace, data] : [data, null]
      return { blocking: 'MPI_Reduce', started: 'MPI_Ireduce', args: [from, into, countOf(data), type(data), mpi.ops[op], root, comm] }
    }
    case 'allReduce': {
      const { data, op } = operation
      return {
        blocking: 'MPI_Allreduce',
        started: 'MPI_Iallreduce',
        args: [mpi.inPlace, data, countOf(data), type(data), mpi.ops[op], comm],
      }
    }
    case 'reduceScatter':
      return reduceScatter(mpi, comm, operation, size, type(operation.data))
    case 'allGather': {
      const { data, into } = operation
      const { counts, starts } = blocksOf(into.length, size)
      const { start, end } = blockRange(into.length, size, rank)
      if (overlap(data, into)) copy(data, part(into, start, end))
      const from: readonly (Memory | number)[] = overlap(data, into) ? [mpi.inPlace, 0, type(into)] : [data, countOf(data), type(data)]
      return { blocking: 'MPI_Allgatherv', started: 'MPI_Iallgatherv', args: [...from, into, counts, starts, type(into), comm] }
    }
    case 'gather': {
      const { data, into, root } = operation
      const { counts, starts } = blocksOf(into?.length ?? 0, size)
      const inPlace = rank === root && into !== undefined && overlap(data, into)
      if (inPlace) copy(data, part(into, starts[rank] as number, (starts[rank] as number) + data.length))
      const from: readonly (Memory | number)[] = inPlace ? [mpi.inPlace, 0, type(data)] : [data, countOf(data), type(data)]
      return { blocking: 'MPI_Gatherv', started: 'MPI_Igatherv', args: [...from, into ?? null, counts, starts, type(data), root, comm] }
    }
    case 'scatter': {
      const { data, into, root } = operation
      const { counts, starts } = blocksOf(data?.length ?? 0, size)
      const inPlace = rank === root && data !== undefined && overlap(data, into)
      const to: readonly (Memory | number)[] = inPlace ? [mpi.inPlace, 0, type(into)] : [into, countOf(into), type(into)]
      const args = [data ?? null, counts, starts, type(into), ...to, root, comm]
      const own = (starts[rank] as number) ?? 0
      return {
        blocking: 'MPI_Scatterv',
        started: 'MPI_Iscatterv',
        args,
        ...(inPlace ? { after: () => copy(part(data, own, own + into.length), into) } : {}),
      }
    }
    case 'allToAll': {
      const { data, into } = operation
      const block = data.length / size
      const from: readonly (Memory | number)[] =
        data.byteOffset === into.byteOffset && overlap(data, into) ? [mpi.inPlace, 0, type(data)] : [data, block, type(data)]
      return { blocking: 'MPI_Alltoall', started: 'MPI_Ialltoall', args: [...from, into, block, type(into), comm] }
    }
  }
}

function reduceScatter(
  mpi: Mpi,
  comm: Pointer,
  operation: CollectiveOperation & { kind: 'reduceScatter' },
  size: number,
  type: Pointer,
): PreparedCall {
  const { data, into, op } = operation
  const { counts } = blocksOf(data.length, size)
  // `data` is scratch, but MPI would still refuse a block that lies in it.
  const inside = overlap(data, into)
  const target = inside ? new (into.constructor as new (length: number) => NumericArray)(into.length) : into
  const args = [data, target, counts, type, mpi.ops[op], comm]
  return { blocking: 'MPI_Reduce_scatter', started: 'MPI_Ireduce_scatter', args, ...(inside ? { after: () => copy(target, into) } : {}) }
}
