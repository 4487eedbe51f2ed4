/**
 * Open MPI 4 through koffi: the calls that the transport makes, with handles and addresses as numbers. In Open MPI a handle is the address of
 * a symbol of the library (`ompi_mpi_comm_world`, `ompi_mpi_float`, …), so no header is needed.
 * @packageDocumentation
 */
import { Buffer } from 'node:buffer'
import koffi, { type KoffiFunc, type LibraryHandle } from 'koffi'
import { TransportError } from '../../errors.ts'
import type { DType } from '../../memory/dtype.ts'
import type { ReduceOp } from '../communicator.ts'

/** A handle or an address. */
export type Pointer = bigint
/** Memory that a call reads or writes. */
export type Memory = ArrayBufferView | Pointer | null

const libraryName = process.platform === 'darwin' ? 'libmpi.40.dylib' : 'libmpi.so.40'
const install = 'apt-get install openmpi-bin libopenmpi3'

/** `MPI_THREAD_MULTIPLE`. */
const threadMultiple = 3
/** `MPI_IN_PLACE`. */
const inPlace = 1n
const maxErrorString = 256

type Status = Int32Array

/** The library's calls. Every one throws a {@link TransportError} when it does not return `MPI_SUCCESS`. */
export interface Mpi {
  readonly version: string
  readonly world: Pointer
  readonly inPlace: Pointer
  readonly datatypes: Readonly<Record<DType, Pointer>>
  readonly ops: Readonly<Record<ReduceOp, Pointer>>
  /** Starts MPI with threads. Must not run on a main thread. */
  init(): void
  finalize(): void
  rank(comm: Pointer): number
  size(comm: Pointer): number
  duplicate(comm: Pointer): Pointer
  split(comm: Pointer, color: number, key: number): Pointer
  free(comm: Pointer): void
  call(name: CallName, ...args: readonly (Memory | number)[]): void
  /** `call('MPI_Allreduce', MPI_IN_PLACE, …)`, the call of every step, without a list of arguments. */
  allReduce(data: ArrayBufferView, count: number, type: Pointer, op: Pointer, comm: Pointer): void
  /** True when the request (one word of 8 bytes) has completed; then `status` is filled. */
  test(request: BigUint64Array, status: Status): boolean
}

const P = 'void *'
const I = 'int'
const calls = {
  MPI_Barrier: [P],
  MPI_Ibarrier: [P, P],
  MPI_Bcast: [P, I, P, I, P],
  MPI_Ibcast: [P, I, P, I, P, P],
  MPI_Reduce: [P, P, I, P, P, I, P],
  MPI_Ireduce: [P, P, I, P, P, I, P, P],
  MPI_Allreduce: [P, P, I, P, P, P],
  MPI_Iallreduce: [P, P, I, P, P, P, P],
  MPI_Reduce_scatter: [P, P, P, P, P, P],
  MPI_Ireduce_scatter: [P, P, P, P, P, P, P],
  MPI_Allgather: [P, I, P, P, I, P, P],
  MPI_Iallgather: [P, I, P, P, I, P, P, P],
  MPI_Allgatherv: [P, I, P, P, P, P, P, P],
  MPI_Iallgatherv: [P, I, P, P, P, P, P, P, P],
  MPI_Gatherv: [P, I, P, P, P, P, P, I, P],
  MPI_Igatherv: [P, I, P, P, P, P, P, I, P, P],
  MPI_Scatterv: [P, P, P, P, P, I, P, I, P],
  MPI_Iscatterv: [P, P, P, P, P, I, P, I, P, P],
  MPI_Alltoall: [P, I, P, P, I, P, P],
  MPI_Ialltoall: [P, I, P, P, I, P, P, P],
  MPI_Send: [P, I, P, I, I, P],
  MPI_Isend: [P, I, P, I, I, P, P],
  MPI_Recv: [P, I, P, I, I, P, P],
  MPI_Irecv: [P, I, P, I, I, P, P],
} as const

/** A communication call. */
export type CallName = keyof typeof calls

type IntFunction = KoffiFunc<(...args: readonly unknown[]) => number>

/** Loads the library; does not start MPI. @throws {TransportError} when it is missing or another MPI. */
export function loadMpi(): Mpi {
  const library = openLibrary()
  const version = libraryVersion(library)
  const func = (name: string, types: readonly string[]): IntFunction => library.func(name, 'int', [...types]) as IntFunction
  const symbol = (name: string): Pointer => library.symbol(name) as Pointer
  const errorString = func('MPI_Error_string', [I, P, P])
  const functions = Object.fromEntries(Object.entries(calls).map(([name, types]) => [name, func(name, types)])) as Record<
    CallName,
    IntFunction
  >

  const describe = (code: number): string => {
    const text = new Uint8Array(maxErrorString)
    const length = new Int32Array(1)
    errorString(code, text, length)
    return Buffer.from(text.subarray(0, length[0])).toString()
  }
  const checked = (what: string, code: number): void => {
    if (code !== 0) throw new TransportError(`${what}: failed — expected MPI_SUCCESS, got ${describe(code)}`, { code })
  }
  const bind = (name: string, types: readonly string[]) => {
    const native = func(name, types)
    return (...args: readonly unknown[]): void => checked(name, native(...args))
  }

  const initThread = bind('MPI_Init_thread', [P, P, I, P])
  const setErrorHandler = bind('MPI_Comm_set_errhandler', [P, P])
  const finalize = bind('MPI_Finalize', [])
  const rank = bind('MPI_Comm_rank', [P, P])
  const size = bind('MPI_Comm_size', [P, P])
  const dup = bind('MPI_Comm_dup', [P, P])
  const split = bind('MPI_Comm_split', [P, I, I, P])
  const free = bind('MPI_Comm_free', [P])
  const test = func('MPI_Test', [P, P, P])

  const world = symbol('ompi_mpi_comm_world')
  const returnErrors = symbol('ompi_mpi_errors_return')
  const bytes = symbol('ompi_mpi_unsigned_char')
  const flag = new Int32Array(1)
  const made = (make: (into: BigUint64Array) => void): Pointer => {
    const into = new BigUint64Array(1)
    make(into)
    const comm = into[0] as bigint
    setErrorHandler(comm, returnErrors)
    return comm
  }
  const asked = (ask: (into: Int32Array) => void): number => {
    const into = new Int32Array(1)
    ask(into)
    return into[0] as number
  }

  return {
    version,
    world,
    inPlace,
    datatypes: {
      float32: symbol('ompi_mpi_float'),
      float64: symbol('ompi_mpi_double'),
      int32: symbol('ompi_mpi_int'),
      uint8: bytes,
      bool: bytes,
    },
    ops: { sum: symbol('ompi_mpi_op_sum'), max: symbol('ompi_mpi_op_max'), min: symbol('ompi_mpi_op_min') },
    init: () => {
      const provided = asked((into) => initThread(null, null, threadMultiple, into))
      if (provided < threadMultiple) {
        throw new TransportError(
          `mpi: no support for threads — expected MPI_THREAD_MULTIPLE (3), got ${provided} (install an Open MPI built with it)`,
        )
      }
      setErrorHandler(world, returnErrors)
    },
    finalize: () => finalize(),
    rank: (comm) => asked((into) => rank(comm, into)),
    size: (comm) => asked((into) => size(comm, into)),
    duplicate: (comm) => made((into) => dup(comm, into)),
    split: (comm, color, key) => made((into) => split(comm, color, key, into)),
    free: (comm) => free(new BigUint64Array([comm])),
    call: (name, ...args) => {
      const code = functions[name](...args)
      if (code !== 0) checked(name, code)
    },
    allReduce: (data, count, type, op, comm) => {
      const code = functions.MPI_Allreduce(inPlace, data, count, type, op, comm)
      if (code !== 0) checked('MPI_Allreduce', code)
    },
    test: (request, status) => {
      const code = test(request, flag, status)
      if (code !== 0) checked('MPI_Test', code)
      return flag[0] !== 0
    },
  }
}

function openLibrary(): LibraryHandle {
  try {
    // Global, because Open MPI's own plug-ins look its symbols up.
    return koffi.load(libraryName, { global: true })
  } catch (cause) {
    throw new TransportError(
      `mpi: library not found — expected Open MPI 4 (${libraryName}), got none (${install})`,
      { library: libraryName },
      cause,
    )
  }
}

/** @throws {TransportError} for anything but Open MPI 4: handles and constants differ elsewhere. */
function libraryVersion(library: LibraryHandle): string {
  const text = new Uint8Array(8192)
  const length = new Int32Array(1)
  library.func('MPI_Get_library_version', 'int', [P, P])(text, length)
  const version = Buffer.from(text.subarray(0, length[0])).toString().split(',')[0]?.trim() ?? ''
  refuseOtherMpi(version)
  return version
}

/** @throws {TransportError} when `version` (as the library or mpirun gives it) is not Open MPI 4. */
export function refuseOtherMpi(version: string): void {
  const major = /Open MPI\)? v?(\d+)\./.exec(version)?.[1]
  if (major === '4') return
  const got = major === undefined ? (/mpich|hydra/i.test(version) ? 'MPICH' : version.slice(0, 80)) : `Open MPI ${major}`
  throw new TransportError(`mpi: another MPI is installed — expected Open MPI 4, got ${got} (${install})`, { version })
}
