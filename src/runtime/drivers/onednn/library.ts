/**
 * oneDNN through its C interface, called with koffi: convolution, pooling, normalisation and their gradients in the blocked orders of
 * memory that its kernels like best. Optional: where the library is not installed, everything runs on ONNX Runtime.
 *
 * Versions 2 and 3 differ in how descriptors are made; what differs is in `v2.ts` and `v3.ts`, behind {@link Binding}.
 * @packageDocumentation
 * @see oneAPI Deep Neural Network Library, C API, dnnl.h
 */
import koffi from 'koffi'
import { BackendError } from '../../../errors.ts'
import { created } from './created.ts'
import { letIdleThreadsSleep } from './idle-threads.ts'
import type { Activation, Descriptor, Operation, Pointer } from './operations.ts'
import { bindVersion2 } from './v2.ts'
import { bindVersion3 } from './v3.ts'

/** What the two versions do differently. Everything returns what it made; failures throw {@link DnnError}. */
export interface Binding {
  /** Descriptor of a tensor: with the strides of its dims, or `undefined` for "whatever the kernel likes best". */
  describe(shape: readonly number[], strides: readonly number[] | undefined): { readonly pointer: Descriptor; free(): void }
  /** Descriptor of a box within a tensor. */
  part(whole: Descriptor, shape: readonly number[], offsets: readonly number[]): ReturnType<Binding['describe']>
  /** Descriptor of a primitive; `attributes` null for none. */
  operation(operation: Operation, attributes: Pointer | null): Pointer
  /** Adds an element-wise function to what follows a primitive. */
  appendActivation(postOps: Pointer, activation: Activation, alpha: number): void
  /** True where the gradient of a normalisation must be given β, although it does not read it. */
  readonly asksForShift: boolean
}

/** A function of the library. */
export type NativeFunction = (...args: unknown[]) => unknown

/** Finds a function of the library by its C declaration; a function that returns `int` throws {@link DnnError} unless that is 0. */
export type Declare = (declaration: string) => NativeFunction

/** oneDNN refused something; `isUnimplemented` where it simply has no kernel for it. */
export class DnnError extends BackendError {
  readonly isUnimplemented: boolean

  constructor(operation: string, status: number) {
    const words = ['success', 'out of memory', 'invalid arguments', 'unimplemented', 'last implementation reached', 'runtime error']
    super(`onednn: ${operation} failed — expected success, got status ${status} (${words[status] ?? 'unknown'})`)
    this.isUnimplemented = status === 2 || status === 3 || status === 4
  }
}

/** The library as one thread uses it: an engine and a stream of its own. */
export interface Library {
  /** Such as `2.6.3`. */
  readonly version: string
  /** Name or path that was loaded. */
  readonly file: string
  readonly binding: Binding
  readonly engine: Pointer
  readonly stream: Pointer
  readonly functions: ReturnType<typeof commonFunctions>
  /** Number of threads inside one operator, for calls of this thread. */
  setThreads(count: number): void
}

/** Where the library may be: version 3 before 2, system names before Homebrew's folder. */
export const libraryNames: readonly string[] = [
  'libdnnl.so.3',
  'libdnnl.so.2',
  'libdnnl.3.dylib',
  'libdnnl.2.dylib',
  '/opt/homebrew/lib/libdnnl.dylib',
  'dnnl.dll',
]

/** Environment variable with the path of a library, or `off`. */
export const libraryVariable = 'TUTTI_ONEDNN'

let found: Library | { readonly problem: string } | undefined

/** The library, or one line that says why there is none. Loaded once in each thread; it stays until the process ends. */
export function findLibrary(): Library | { readonly problem: string } {
  found ??= open()
  return found
}

/** True when oneDNN can be used here. */
export function hasLibrary(): boolean {
  return !('problem' in findLibrary())
}

/** @throws {BackendError} BACKEND when oneDNN is not installed or of another version */
export function requireLibrary(): Library {
  const library = findLibrary()
  if ('problem' in library) throw new BackendError(`onednn: ${library.problem} (tutti doctor says how to install it)`)
  return library
}

function open(): Library | { readonly problem: string } {
  const wanted = process.env[libraryVariable]
  if (wanted === 'off') return { problem: `the library is switched off — expected no ${libraryVariable}=off in the environment` }
  const names = wanted === undefined ? libraryNames : [wanted]
  letIdleThreadsSleep()
  for (const file of names) {
    const library = tryLoad(file)
    if (library === undefined) continue
    const version = koffi.decode(library.func('const int *dnnl_version()')(), koffi.array('int', 3)) as number[]
    const [major] = version
    if (major !== 2 && major !== 3) {
      return { problem: `${file} is of another version — expected 2 or 3, got ${version.join('.')}` }
    }
    return prepare(library, file, version)
  }
  if (wanted !== undefined)
    return { problem: `${wanted} (${libraryVariable}) cannot be loaded — expected a library of oneDNN, version 2 or 3` }
  return { problem: 'the library is not installed — expected libdnnl of version 2 or 3' }
}

function tryLoad(file: string): ReturnType<typeof koffi.load> | undefined {
  try {
    const library = koffi.load(file)
    pin(file)
    return library
  } catch {
    // Not this one: the next name is another version or platform.
    return undefined
  }
}

/** A library that is unloaded while its idle threads sleep crashes the process at its end: it is never unloaded. */
function pin(file: string): void {
  const flags: Partial<Record<NodeJS.Platform, number>> = { linux: 0x1002, darwin: 0x82 }
  const flag = flags[process.platform]
  if (flag === undefined) return
  koffi.load(null).func('void *dlopen(const char *file, int flags)')(file, flag)
}

function prepare(library: ReturnType<typeof koffi.load>, file: string, version: readonly number[]): Library {
  const declare: Declare = (declaration) => {
    const call = library.func(declaration) as NativeFunction
    if (!declaration.startsWith('int ')) return call
    const name = /(\w+)\(/.exec(declaration)?.[1] ?? declaration
    return (...values) => {
      const status = call(...values) as number
      if (status !== 0) throw new DnnError(name, status)
      return status
    }
  }
  const functions = commonFunctions(declare)
  const engine = created((out) => functions.createEngine(out, cpu, 0))
  const stream = created((out) => functions.createStream(out, engine, inOrder))
  const binding = version[0] === 2 ? bindVersion2(declare, engine) : bindVersion3(declare, engine)
  return { version: version.join('.'), file, binding, engine, stream, functions, setThreads: threadSetter(library) }
}

const cpu = 1
const inOrder = 1

function commonFunctions(declare: Declare) {
  return {
    createEngine: declare('int dnnl_engine_create(void *engine, int kind, size_t index)'),
    createStream: declare('int dnnl_stream_create(void *stream, void *engine, uint32_t flags)'),
    wait: declare('int dnnl_stream_wait(void *stream)'),
    createPrimitive: declare('int dnnl_primitive_create(void *primitive, void *descriptor)'),
    destroyPrimitive: declare('int dnnl_primitive_destroy(void *primitive)'),
    destroyOperation: declare('int dnnl_primitive_desc_destroy(void *descriptor)'),
    // Returns its status as it is, without a wrapper that would allocate in every call.
    execute: declare('int32_t dnnl_primitive_execute(void *primitive, void *stream, int count, void *arguments)'),
    createMemory: declare('int dnnl_memory_create(void *memory, void *descriptor, void *engine, void *handle)'),
    destroyMemory: declare('int dnnl_memory_destroy(void *memory)'),
    query: declare('void *dnnl_primitive_desc_query_md(void *descriptor, int what, int index)'),
    sizeOf: declare('size_t dnnl_memory_desc_get_size(void *descriptor)'),
    // Not a status: 1 where the two are equal.
    isEqual: declare('bool dnnl_memory_desc_equal(void *left, void *right)'),
    createReorder: declare(
      'int dnnl_reorder_primitive_desc_create(void *out, void *from, void *engine, void *to, void *engine2, void *attr)',
    ),
    createAttributes: declare('int dnnl_primitive_attr_create(void *attr)'),
    destroyAttributes: declare('int dnnl_primitive_attr_destroy(void *attr)'),
    setScratchpadMode: declare('int dnnl_primitive_attr_set_scratchpad_mode(void *attr, int mode)'),
    setPostOps: declare('int dnnl_primitive_attr_set_post_ops(void *attr, void *postOps)'),
    createPostOps: declare('int dnnl_post_ops_create(void *postOps)'),
    destroyPostOps: declare('int dnnl_post_ops_destroy(void *postOps)'),
  }
}

/**
 * The library brings its OpenMP runtime along, and symbols of what a library depends on are found through it. The number of threads belongs
 * to the calling thread, so workers do not disturb each other.
 */
function threadSetter(library: ReturnType<typeof koffi.load>): (count: number) => void {
  let current = -1
  let call: NativeFunction
  try {
    call = library.func('void omp_set_num_threads(int count)') as NativeFunction
  } catch {
    // Built on another threading runtime, which has no such switch.
    return () => undefined
  }
  return (count) => {
    if (count === current) return
    call(count)
    current = count
  }
}
