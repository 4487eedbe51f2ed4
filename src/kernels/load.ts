import { readFileSync } from 'node:fs'
import { BackendError } from '../errors.ts'
import type { Segment } from '../memory/segment.ts'
import type { KernelExports } from './exports.ts'
import type { Kernels } from './kernels.ts'
import { segmentKernels } from './segment-kernels.ts'

const instances = new WeakMap<Segment, Kernels>()
let module: WebAssembly.Module | undefined

/**
 * The SIMD kernels on `segment`, for the calling thread: kernels.wasm is compiled once per thread and instantiated once per segment.
 *
 * @throws {BackendError} when kernels.wasm is missing or the engine has no SIMD or threads.
 */
export function kernelsFor(segment: Segment): Kernels {
  const known = instances.get(segment)
  if (known) return known
  const instance = new WebAssembly.Instance(compiled(), { env: { memory: segment.memory } })
  const kernels = segmentKernels(segment, instance.exports as unknown as KernelExports)
  instances.set(segment, kernels)
  return kernels
}

function compiled(): WebAssembly.Module {
  if (module) return module
  const file = new URL('./kernels.wasm', import.meta.url)
  try {
    module = new WebAssembly.Module(readFileSync(file))
    return module
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new BackendError(
      `kernels: kernels.wasm cannot be loaded — expected a readable module at ${file.pathname}, got ${reason} ` +
        '(build the package, or use Node 20.19 or newer)',
      { file: file.href },
      cause,
    )
  }
}
