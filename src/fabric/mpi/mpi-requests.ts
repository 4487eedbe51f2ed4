import { ProtocolError, TransportError } from '../../errors.ts'
import { dtypeOf, type NumericArray } from '../../memory/dtype.ts'
import type { Steps } from '../core/progress.ts'
import type { CallName, Memory, Mpi, Pointer } from './bindings.ts'
import { countOf } from './mpi-buffers.ts'

/** `MPI_Status` of Open MPI 4: source, tag, error, cancelled, then the received bytes as 8 bytes. */
const statusWords = 6
const receivedWord = 4
/** `MPI_ERR_TRUNCATE`. */
const errTruncate = 15

/** Starts a call and asks until it has completed. `args` are kept until then: MPI reads them. */
export function* started(mpi: Mpi, name: CallName, args: readonly (Memory | number)[], status = new Int32Array(statusWords)): Steps {
  pin(args)
  const request = new BigUint64Array(1)
  mpi.call(name, ...args, request)
  while (!mpi.test(request, status)) yield undefined
}

/** Sends `data` to process `to`. */
export function startedSend(mpi: Mpi, comm: Pointer, data: NumericArray, to: number, tag: number): Steps {
  return started(mpi, 'MPI_Isend', [data, countOf(data), mpi.datatypes[dtypeOf(data)], to, tag, comm])
}

/** Fills `into` from process `from`. @throws {ProtocolError} when another number of bytes came. */
export function* startedRecv(mpi: Mpi, comm: Pointer, into: NumericArray, from: number, tag: number): Steps {
  const status = new Int32Array(statusWords)
  try {
    yield* started(mpi, 'MPI_Irecv', [into, countOf(into), mpi.datatypes[dtypeOf(into)], from, tag, comm], status)
  } catch (error) {
    throw tooLong(error, into, from, tag)
  }
  checkReceived(status, into, from, tag)
}

/** The blocking receive. */
export function recvNow(mpi: Mpi, comm: Pointer, into: NumericArray, from: number, tag: number): void {
  const status = new Int32Array(statusWords)
  try {
    mpi.call('MPI_Recv', into, countOf(into), mpi.datatypes[dtypeOf(into)], from, tag, comm, status)
  } catch (error) {
    throw tooLong(error, into, from, tag)
  }
  checkReceived(status, into, from, tag)
}

function checkReceived(status: Int32Array, into: NumericArray, from: number, tag: number): void {
  const bytes = (status[receivedWord] as number) >>> 0
  if (bytes !== into.byteLength) throw mismatch(`${bytes} bytes`, into, from, tag)
}

function tooLong(error: unknown, into: NumericArray, from: number, tag: number): unknown {
  const truncated = error instanceof TransportError && error.details['code'] === errTruncate
  return truncated ? mismatch('more bytes', into, from, tag) : error
}

function mismatch(sent: string, into: NumericArray, from: number, tag: number): ProtocolError {
  return new ProtocolError(
    `send/recv: rank ${from} sends ${sent} with tag ${tag} — expected ${into.byteLength}, ${dtypeOf(into)}[${into.length}] (both sides must pass the same kind and length)`,
    { ranks: [from], tag },
  )
}

/** Small typed arrays live on the moving heap until somebody asks for their buffer: MPI must not be given an address that moves. */
function pin(args: readonly (Memory | number)[]): void {
  for (const arg of args) if (ArrayBuffer.isView(arg)) void arg.buffer
}
