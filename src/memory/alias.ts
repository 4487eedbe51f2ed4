/**
 * The one edge to native code under `memory/`: a plain `ArrayBuffer` over the bytes of a shared Wasm memory.
 * ONNX Runtime and other native callers refuse a SharedArrayBuffer; this buffer aliases the same pages, so that they work in place.
 * @packageDocumentation
 */
import koffi from 'koffi'

/**
 * A plain `ArrayBuffer` over all bytes of `memory`. Make one per thread and memory: each call makes another buffer object.
 * The buffer keeps the memory alive (a view on freed pages would crash the process), so views stay valid as long as somebody holds them.
 * `Atomics` must not be used on it (only on `memory.buffer`), and it must never be posted to another thread, which would copy it.
 *
 * @param memory - Shared and never grown, at most 4 GiB.
 */
export function aliasOf(memory: WebAssembly.Memory): ArrayBuffer {
  const address = koffi.address(new Uint8Array(memory.buffer))
  const alias = koffi.view(address, memory.buffer.byteLength)
  Object.defineProperty(alias, 'owner', { value: memory })
  return alias
}
