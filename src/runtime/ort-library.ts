/**
 * ONNX Runtime through its C interface: the library that the package `onnxruntime-node` ships, called with koffi. The package's own
 * binding copies every output into a new array after each run, even where it was given one (allocation, zeroing and copying took a tenth
 * to a half of a training step), converts every tensor anew, and waits for a turn of the event loop. Here tensors are made once over the
 * caller's memory, and a run is one call: see `ort.ts`.
 *
 * The interface is a table of functions to which entries are only ever added, so positions hold for all later versions.
 * @packageDocumentation
 * @see ONNX Runtime C API, onnxruntime_c_api.h, struct OrtApi
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import koffi from 'koffi'
import { BackendError } from '../errors.ts'

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
  disableMemPattern: [17, 'void *(void *options)'],
  disableCpuMemArena: [19, 'void *(void *options)'],
  setSessionLogSeverityLevel: [22, 'void *(void *options, int level)'],
  setSessionGraphOptimizationLevel: [23, 'void *(void *options, int level)'],
  setIntraOpNumThreads: [24, 'void *(void *options, int threads)'],
  setInterOpNumThreads: [25, 'void *(void *options, int threads)'],
  createRunOptions: [39, 'void *(void *out)'],
  createTensorWithData: [49, 'void *(void *memory, void *data, size_t bytes, void *shape, size_t rank, int type, void *out)'],
  createCpuMemoryInfo: [69, 'void *(int allocator, int type, void *out)'],
  releaseStatus: [93, 'void (void *status)'],
  releaseMemoryInfo: [94, 'void (void *memory)'],
  releaseSession: [95, 'void (void *session)'],
  releaseValue: [96, 'void (void *value)'],
  releaseSessionOptions: [100, 'void (void *options)'],
  addSessionConfigEntry: [130, 'void *(void *options, const char *key, const char *value)'],
  createAndRegisterAllocator: [144, 'void *(void *env, void *memory, void *arena)'],
  createArenaCfg: [156, 'void *(size_t maxBytes, int strategy, int initialBytes, int maxDeadBytes, void *out)'],
  releaseArenaCfg: [157, 'void (void *arena)'],
  addRunConfigEntry: [165, 'void *(void *options, const char *key, const char *value)'],
} as const satisfies Record<string, readonly [number, string]>

/** A function of the library. */
export type Entry = keyof typeof entries
/** An address. */
export type Pointer = bigint
type Functions = Readonly<Record<Entry, readonly [Pointer, ReturnType<typeof koffi.proto>]>>

/** No log: what it says of errors comes back as their messages, and warnings about graphs that it folds are of no use to anybody here. */
export const fatalOnly = 4

/** Kinds of allocators. */
export const allocators = { device: 0, arena: 1 } as const

/** The library as a thread uses it. */
export interface OrtLibrary {
  /** Kept: a library whose handle is collected is unloaded. */
  readonly library: object
  call(entry: Entry, ...args: unknown[]): unknown
  readonly env: Pointer
  readonly memory: Pointer
  /** Options of a run that ends by giving free memory of its arena back to the system. */
  readonly shrinking: Pointer
}

let loaded: OrtLibrary | undefined

/** The library, loaded once in each thread. It stays until the process ends. @throws {BackendError} BACKEND when it cannot be loaded */
export function ortLibrary(): OrtLibrary {
  loaded ??= load()
  return loaded
}

function load(): OrtLibrary {
  const { library, functions } = openLibrary()
  const call = (entry: Entry, ...args: unknown[]): unknown => {
    const [pointer, type] = functions[entry]
    return koffi.call(pointer, type, ...args)
  }
  const unchecked: OrtLibrary = { library, call, env: 0n, memory: 0n, shrinking: 0n }
  const env = created((out) => check(unchecked, call('createEnv', fatalOnly, 'tutti', out)))
  const memory = created((out) => check(unchecked, call('createCpuMemoryInfo', allocators.device, 0, out)))
  const shrinking = created((out) => check(unchecked, call('createRunOptions', out)))
  check(unchecked, call('addRunConfigEntry', shrinking, 'memory.enable_memory_arena_shrinkage', 'cpu:0'))
  return { library, call, env, memory, shrinking }
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
export function check({ call }: OrtLibrary, status: unknown): void {
  if (status === null) return
  const message = call('getErrorMessage', status) as string
  call('releaseStatus', status)
  throw new BackendError(`onnxruntime: ${message}`)
}

/** What a function that writes a pointer to its last argument has created. */
export function created(create: (out: BigUint64Array) => void): Pointer {
  const out = new BigUint64Array(1)
  create(out)
  return out[0] as Pointer
}
