/**
 * ONNX Runtime through its C interface: the library that the package `onnxruntime-node` ships, called with koffi. The package's own
 * binding copies every output into a new array after each run, even where it was given one (allocation, zeroing and copying took a tenth
 * to a half of a training step), converts every tensor anew, and waits for a turn of the event loop. Here tensors are made once over the
 * caller's memory, and a run is one call.
 *
 * The interface is a table of functions to which entries are only ever added, so positions hold for all later versions.
 * @packageDocumentation
 * @see ONNX Runtime C API, onnxruntime_c_api.h, struct OrtApi
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import koffi from 'koffi'
import { BackendError } from '../errors.ts'
import type { DType } from '../memory/dtype.ts'

/** Version of the interface that we ask for: that of ONNX Runtime 1.16. */
const apiVersion = 16

/** Position and C signature of the entries that we use; a `void *` result is a status, null for success. */
const entries = {
  getErrorMessage: [2, 'const char *(void *status)'],
  createEnv: [3, 'void *(int level, const char *id, void *out)'],
  createSessionFromArray: [8, 'void *(void *env, void *model, size_t bytes, void *options, void *out)'],
  run: [
    9,
    'void *(void *session, void *options, void *inputNames, void *inputs, size_t numInputs, void *outputNames, size_t numOutputs, void *outputs)',
  ],
  createSessionOptions: [10, 'void *(void *out)'],
  disableCpuMemArena: [19, 'void *(void *options)'],
  setSessionLogSeverityLevel: [22, 'void *(void *options, int level)'],
  setSessionGraphOptimizationLevel: [23, 'void *(void *options, int level)'],
  setIntraOpNumThreads: [24, 'void *(void *options, int threads)'],
  setInterOpNumThreads: [25, 'void *(void *options, int threads)'],
  createTensorWithData: [49, 'void *(void *memory, void *data, size_t bytes, void *shape, size_t rank, int type, void *out)'],
  createCpuMemoryInfo: [69, 'void *(int allocator, int type, void *out)'],
  releaseStatus: [93, 'void (void *status)'],
  releaseSession: [95, 'void (void *session)'],
  releaseValue: [96, 'void (void *value)'],
  releaseSessionOptions: [100, 'void (void *options)'],
  addSessionConfigEntry: [130, 'void *(void *options, const char *key, const char *value)'],
} as const satisfies Record<string, readonly [number, string]>

type Entry = keyof typeof entries
type Pointer = bigint
type Functions = Readonly<Record<Entry, readonly [Pointer, ReturnType<typeof koffi.proto>]>>

/** ONNX's numbers of our element kinds. */
const elementTypes = { float32: 1, uint8: 2, int32: 6, bool: 9, float64: 11 } as const satisfies Record<DType, number>

/** Quieter than warnings: those of the optimiser about graphs that it folds are of no use to anybody here. */
const errorsOnly = 3
const allOptimizations = 99

interface Api {
  /** Kept: a library whose handle is collected is unloaded. */
  readonly library: object
  call(entry: Entry, ...args: unknown[]): unknown
  readonly env: Pointer
  readonly memory: Pointer
}

let loaded: Api | undefined

/** The library, loaded once in each thread. It stays until the process ends. @throws {BackendError} BACKEND when it cannot be loaded */
function api(): Api {
  loaded ??= load()
  return loaded
}

function load(): Api {
  const { library, functions } = openLibrary()
  const call = (entry: Entry, ...args: unknown[]): unknown => {
    const [pointer, type] = functions[entry]
    return koffi.call(pointer, type, ...args)
  }
  const unchecked: Api = { library, call, env: 0n, memory: 0n }
  const env = created((out) => check(unchecked, call('createEnv', errorsOnly, 'tutti', out)))
  const memory = created((out) => check(unchecked, call('createCpuMemoryInfo', 0, 0, out)))
  return { library, call, env, memory }
}

function openLibrary(): { library: object; functions: Functions } {
  const file = libraryFile()
  try {
    const library = koffi.load(file)
    const base = library.func('void *OrtGetApiBase()')() as unknown
    const [getApi] = koffi.decode(base, koffi.array('void *', 1)) as [Pointer]
    const table = koffi.call(getApi, koffi.proto('void *(uint32_t version)'), apiVersion) as unknown
    const last = Math.max(...Object.values(entries).map(([position]) => position))
    const pointers = koffi.decode(table, koffi.array('void *', last + 1)) as Pointer[]
    const functions = Object.fromEntries(
      Object.entries(entries).map(([name, [position, signature]]) => [name, [pointers[position] as Pointer, koffi.proto(signature)]]),
    ) as unknown as Functions
    return { library, functions }
  } catch (cause) {
    throw new BackendError(`onnxruntime: ${file} could not be loaded — expected the library of onnxruntime-node (npm ci)`, {}, cause)
  }
}

function libraryFile(): string {
  const names: Partial<Record<NodeJS.Platform, string>> = { darwin: 'libonnxruntime.1.dylib', win32: 'onnxruntime.dll' }
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node')
  return join(dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch, names[process.platform] ?? 'libonnxruntime.so.1')
}

/** @throws {BackendError} BACKEND with ONNX Runtime's own words */
function check({ call }: Api, status: unknown): void {
  if (status === null) return
  const message = call('getErrorMessage', status) as string
  call('releaseStatus', status)
  throw new BackendError(`onnxruntime: ${message}`)
}

/** What a function that writes a pointer to its last argument has created. */
function created(create: (out: BigUint64Array) => void): Pointer {
  const out = new BigUint64Array(1)
  create(out)
  return out[0] as Pointer
}

/** Options of {@link OrtSession.create}. */
export interface OrtSessionOptions {
  readonly intraOpThreads: number
  readonly arena: boolean
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
  #isOpen = true

  private constructor(pointer: Pointer) {
    this.#pointer = pointer
  }

  /** @throws {BackendError} BACKEND when ONNX Runtime refuses the model */
  static create(model: Uint8Array, { intraOpThreads, arena }: OrtSessionOptions): OrtSession {
    const ort = api()
    const options = created((out) => check(ort, ort.call('createSessionOptions', out)))
    try {
      const set = (entry: Entry, ...args: unknown[]): void => check(ort, ort.call(entry, options, ...args))
      set('setSessionLogSeverityLevel', errorsOnly)
      set('setSessionGraphOptimizationLevel', allOptimizations)
      set('setIntraOpNumThreads', intraOpThreads)
      set('setInterOpNumThreads', 1)
      // Threads that spin while they wait take the cores of other ranks.
      set('addSessionConfigEntry', 'session.intra_op.allow_spinning', '0')
      if (!arena) set('disableCpuMemArena')
      return new OrtSession(
        created((out) => check(ort, ort.call('createSessionFromArray', ort.env, model, model.byteLength, options, out))),
      )
    } finally {
      ort.call('releaseSessionOptions', options)
    }
  }

  /** A call that reads and writes these tensors, by name. It holds them; what it needs is given back when the session is closed. */
  bind(inputs: ReadonlyMap<string, OrtTensor>, outputs: ReadonlyMap<string, OrtTensor>): () => void {
    const ort = api()
    const [inputNames, outputNames] = [new Names([...inputs.keys()]), new Names([...outputs.keys()])]
    const values = (tensors: Iterable<OrtTensor>): BigUint64Array => BigUint64Array.from(tensors, (tensor) => this.#value(ort, tensor))
    const [inputValues, outputValues] = [values(inputs.values()), values(outputs.values())]
    const [numInputs, numOutputs] = [inputs.size, outputs.size]
    // The native side has addresses only: this list keeps the memory behind them from being collected.
    const kept = [inputNames, outputNames, ...inputs.values(), ...outputs.values()]
    return () => {
      if (!this.#isOpen || kept.length === 0)
        throw new BackendError('onnxruntime: the session is closed — expected an open one (compile again)')
      check(
        ort,
        ort.call('run', this.#pointer, null, inputNames.pointers, inputValues, numInputs, outputNames.pointers, numOutputs, outputValues),
      )
    }
  }

  /** Idempotent. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    const ort = api()
    for (const value of this.#values) ort.call('releaseValue', value)
    ort.call('releaseSession', this.#pointer)
  }

  #value(ort: Api, { data, shape, type }: OrtTensor): Pointer {
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
