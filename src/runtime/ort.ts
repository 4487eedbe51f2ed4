/**
 * Sessions of ONNX Runtime over memory of the caller's; see `ort-library.ts`.
 * @packageDocumentation
 */
import koffi from 'koffi'
import { BackendError } from '../errors.ts'
import type { DType } from '../memory/dtype.ts'
import { OnnxBuilder } from './onnx.ts'
import { allocators, check, created, fatalOnly, ortLibrary } from './ort-library.ts'
import type { Entry, OrtLibrary, Pointer } from './ort-library.ts'

/** ONNX's numbers of our element kinds. */
const elementTypes = { float32: 1, uint8: 2, int32: 6, bool: 9, float64: 11 } as const satisfies Record<DType, number>

const allOptimizations = 99

/**
 * Where a session's intermediate values lie.
 *
 * - `own`: in an arena of its own. From the second run on all values of a run are one block, which is fastest.
 * - `shared`: in an arena with others of the thread, value by value. Sessions that run one after the other need no more than the largest of
 *   them: for the segments of a cut model. The system gets it back when the last of them is closed.
 * - `none`: from the system, which gets all back after every run: slow where values are large.
 */
export type ArenaKind = 'own' | 'shared' | 'none'

let hasSharedArena = false
/** Open sessions of this thread that share it. */
let sharing = 0

/**
 * Makes the arena that sessions of this thread share, with the growth of an ordinary one. (Threads have one environment, and its latest arena
 * counts: sessions of another thread may come to share it too, which is safe.)
 */
function shareArena(ort: OrtLibrary): void {
  if (hasSharedArena) return
  const [noLimit, doubling, ordinary] = [0, 0, -1]
  const memory = created((out) => check(ort, ort.call('createCpuMemoryInfo', allocators.arena, 0, out)))
  const arena = created((out) => check(ort, ort.call('createArenaCfg', noLimit, doubling, ordinary, ordinary, out)))
  try {
    check(ort, ort.call('createAndRegisterAllocator', ort.env, memory, arena))
  } finally {
    ort.call('releaseArenaCfg', arena)
    ort.call('releaseMemoryInfo', memory)
  }
  hasSharedArena = true
}

/** Options of {@link OrtSession.create}. */
export interface OrtSessionOptions {
  readonly intraOpThreads: number
  readonly arena: ArenaKind
}

/** Memory that ONNX Runtime reads or writes in place. */
export interface OrtTensor {
  readonly shape: readonly number[]
  readonly type: DType
  readonly data: ArrayBufferView<ArrayBuffer>
}

/** A model that is ready to run. Close it: native memory is not collected. */
export class OrtSession {
  readonly #pointer: Pointer
  readonly #values: Pointer[] = []
  /** The first run of a session with its own arena takes values one by one, later ones take one block: pieces of the first must not stay. */
  #shrinks: boolean
  readonly #isSharing: boolean
  #isOpen = true

  private constructor(pointer: Pointer, arena: ArenaKind) {
    this.#pointer = pointer
    this.#shrinks = arena === 'own'
    this.#isSharing = arena === 'shared'
    if (this.#isSharing) sharing++
  }

  /** @throws {BackendError} BACKEND when ONNX Runtime refuses the model */
  static create(model: Uint8Array, { intraOpThreads, arena }: OrtSessionOptions): OrtSession {
    const ort = ortLibrary()
    const options = created((out) => check(ort, ort.call('createSessionOptions', out)))
    try {
      const set = (entry: Entry, ...args: unknown[]): void => check(ort, ort.call(entry, options, ...args))
      set('setSessionLogSeverityLevel', fatalOnly)
      set('setSessionGraphOptimizationLevel', allOptimizations)
      set('setIntraOpNumThreads', intraOpThreads)
      set('setInterOpNumThreads', 1)
      // Threads that spin while they wait take the cores of other ranks.
      set('addSessionConfigEntry', 'session.intra_op.allow_spinning', '0')
      if (arena === 'none') set('disableCpuMemArena')
      if (arena === 'shared') {
        shareArena(ort)
        set('addSessionConfigEntry', 'session.use_env_allocators', '1')
        // One block for all values of a run would fit into no gap that other sessions leave.
        set('disableMemPattern')
      }
      const pointer = created((out) => check(ort, ort.call('createSessionFromArray', ort.env, model, model.byteLength, options, out)))
      return new OrtSession(pointer, arena)
    } finally {
      ort.call('releaseSessionOptions', options)
    }
  }

  /** A call that reads and writes these tensors, by name. It holds them; what it needs is given back when the session is closed. */
  bind(inputs: ReadonlyMap<string, OrtTensor>, outputs: ReadonlyMap<string, OrtTensor>): () => void {
    const ort = ortLibrary()
    const [inputNames, outputNames] = [new Names([...inputs.keys()]), new Names([...outputs.keys()])]
    const values = (tensors: Iterable<OrtTensor>): BigUint64Array => BigUint64Array.from(tensors, (tensor) => this.#value(ort, tensor))
    const [inputValues, outputValues] = [values(inputs.values()), values(outputs.values())]
    const [numInputs, numOutputs] = [inputs.size, outputs.size]
    // The native side has addresses only: this list keeps the memory behind them from being collected.
    const kept = [inputNames, outputNames, ...inputs.values(), ...outputs.values()]
    return () => {
      if (!this.#isOpen || kept.length === 0)
        throw new BackendError('onnxruntime: the session is closed — expected an open one (compile again)')
      const [how, first, last] = [this.#shrinks ? ort.shrinking : null, inputNames.pointers, outputNames.pointers]
      this.#shrinks = false
      check(ort, ort.call('run', this.#pointer, how, first, inputValues, numInputs, last, numOutputs, outputValues))
    }
  }

  /** Idempotent. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    const ort = ortLibrary()
    for (const value of this.#values) ort.call('releaseValue', value)
    ort.call('releaseSession', this.#pointer)
    if (!this.#isSharing) return
    if (sharing === 1) OrtSession.#emptySharedArena()
    sharing--
  }

  /** By a run of a session that needs next to nothing: arenas shrink at the end of a run. */
  static #emptySharedArena(): void {
    const onnx = new OnnxBuilder()
    onnx.input('x', [1], 'float32')
    onnx.node('Identity', ['x'], {}, ['y'])
    onnx.output('y', [1], 'float32')
    const session = OrtSession.create(onnx.finish('nothing'), { intraOpThreads: 1, arena: 'shared' })
    session.#shrinks = true
    const tensor = (): OrtTensor => ({ shape: [1], type: 'float32', data: new Float32Array(1) })
    session.bind(new Map([['x', tensor()]]), new Map([['y', tensor()]]))()
    session.close()
  }

  #value(ort: OrtLibrary, { data, shape, type }: OrtTensor): Pointer {
    const dims = BigInt64Array.from(shape, BigInt)
    const value = created((out) =>
      check(ort, ort.call('createTensorWithData', ort.memory, data, data.byteLength, dims, shape.length, elementTypes[type], out)),
    )
    this.#values.push(value)
    return value
  }
}

/** A C array of C strings. */
class Names {
  readonly pointers: BigUint64Array
  readonly #bytes: readonly Uint8Array[]

  constructor(names: readonly string[]) {
    this.#bytes = names.map((name) => new TextEncoder().encode(`${name}\0`))
    this.pointers = BigUint64Array.from(this.#bytes, (bytes) => koffi.address(bytes))
  }
}
