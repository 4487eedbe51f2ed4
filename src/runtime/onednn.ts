/**
 * Matrix products by oneDNN, where the library is installed (Debian and Ubuntu: `libdnnl2` or `libdnnl3`, Homebrew: `onednn`). On many
 * processors its kernels are up to twice as fast as those of ONNX Runtime; without it everything runs on ONNX Runtime alone.
 * @packageDocumentation
 */
import koffi from 'koffi'

import type { ProductShape } from '../graph/ops/rule.ts'

/** What we use of the library. Calls run in the calling thread. */
export interface OneDnn {
  /** File that was loaded. */
  readonly file: string
  /** C = A·B. Arrays on any memory. */
  multiply(shape: ProductShape, a: Float32Array, b: Float32Array, c: Float32Array): void
  /** Threads of the products that this thread starts from now on. */
  setThreads(threads: number): void
}

/** Versions 2 and 3 share the interface that we use. */
const files = ['libdnnl.so.3', 'libdnnl.so.2', '/opt/homebrew/lib/libdnnl.dylib'] as const

let loaded: OneDnn | undefined | null = null

/** The library, or undefined where it is not installed. It stays loaded until the process ends. */
export function loadOneDnn(): OneDnn | undefined {
  if (loaded === null) loaded = load()
  return loaded
}

function load(): OneDnn | undefined {
  for (const file of files) {
    try {
      const library = koffi.load(file)
      const sgemm = library.func(
        'int dnnl_sgemm(char, char, int64_t, int64_t, int64_t, float, const void *, int64_t, const void *, int64_t, float, void *, int64_t)',
      )
      // Without this the OpenMP of the library takes every core; builds on other thread pools are left alone.
      const setThreads = library.func('void omp_set_num_threads(int)')
      return { file, multiply: (shape, a, b, c) => multiply(sgemm, shape, a, b, c), setThreads }
    } catch {
      // Not installed under this name.
    }
  }
  return undefined
}

const plain = 'N'.charCodeAt(0)
const transposed = 'T'.charCodeAt(0)

function multiply(sgemm: ReturnType<ReturnType<typeof koffi.load>['func']>, shape: ProductShape, a: Float32Array, b: Float32Array, c: Float32Array): void {
  const { m, n, k, transposeA, transposeB } = shape
  const status = sgemm(
    transposeA ? transposed : plain,
    transposeB ? transposed : plain,
    m, n, k, 1, a, transposeA ? m : k, b, transposeB ? k : n, 0, c, n,
  ) as number
  if (status !== 0) throw new Error(`dnnl_sgemm: status ${status} for [${m}, ${k}]·[${k}, ${n}]`)
}
