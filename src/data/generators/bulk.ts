/**
 * The suite's counter-based random numbers, many of one row at a time: u(seed, stream, row, j) and z(seed, stream, row, j) for
 * j = 0, 1, …, the same values as `u` and `z` of rng.ts give one by one, with a quarter of the blocks and four blocks at once. A number
 * depends on its four indices only, so rows can be made in any order, anywhere.
 * @packageDocumentation
 */
import { BackendError } from '../../errors.ts'
import type { Kernels } from '../../kernels/kernels.ts'
import { kernelsFor } from '../../kernels/load.ts'
import { plainKernels } from '../../kernels/plain.ts'
import { allocationBytes } from '../../memory/handle.ts'
import { Segment } from '../../memory/segment.ts'

/** Words of one call of the kernel, and the step in which it is fastest. */
const chunkWords = 4096
const stepWords = 16

const unit = 2 ** -32
const turn = 2 * Math.PI

/** into[j] = u(seed, stream, row, j) for j < count. */
export function fillUniforms(seed: number, stream: number, row: number, count: number, into: Float64Array): void {
  scratch ??= makeScratch()
  const { words } = scratch
  for (let start = 0; start < count; start += chunkWords) {
    const length = Math.min(chunkWords, count - start)
    fillWords(scratch, seed, stream, row, start, length)
    for (let i = 0; i < length; i++) into[start + i] = (words[i]! + 0.5) * unit
  }
}

/** into[j] = z(seed, stream, row, j), standard normal, for j < count. */
export function fillNormals(seed: number, stream: number, row: number, count: number, into: Float64Array): void {
  scratch ??= makeScratch()
  const { words } = scratch
  for (let start = 0; start < count; start += chunkWords) {
    const length = Math.min(chunkWords, count - start)
    fillWords(scratch, seed, stream, row, start, length)
    for (let i = 0; i < length; i += 2) {
      const radius = Math.sqrt(-2 * Math.log((words[i]! + 0.5) * unit))
      const angle = turn * ((words[i + 1]! + 0.5) * unit)
      into[start + i] = radius * Math.cos(angle)
      if (i + 1 < length) into[start + i + 1] = radius * Math.sin(angle)
    }
  }
}

interface Scratch {
  readonly kernels: Kernels
  readonly words: Uint32Array
  /** `words` as the kernel takes them, cut to n·16 words at index n. */
  readonly views: readonly Int32Array[]
}

/** One per thread, for its life. */
let scratch: Scratch | undefined

function makeScratch(): Scratch {
  const segment = Segment.create(allocationBytes('int32', chunkWords), 'random words')
  const whole = segment.allocate('int32', chunkWords)
  const views = Array.from({ length: chunkWords / stepWords + 1 }, (_, n) => whole.subarray(0, n * stepWords))
  return { kernels: kernelsOf(segment), words: new Uint32Array(whole.buffer, whole.byteOffset, chunkWords), views }
}

// Sources that were not built have no kernels.wasm: the plain twin gives the same words, later.
function kernelsOf(segment: Segment): Kernels {
  try {
    return kernelsFor(segment)
  } catch (error) {
    if (error instanceof BackendError) return plainKernels
    throw error
  }
}

function fillWords({ kernels, views }: Scratch, seed: number, stream: number, row: number, first: number, count: number): void {
  kernels.philox(seed, stream, row, first, views[Math.ceil(count / stepWords)]!)
}
