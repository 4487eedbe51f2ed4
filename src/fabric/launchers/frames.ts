/**
 * Frames on a byte stream: a length as u32 little-endian, then v8-serialised data. Used on the connections of control threads, and for the job on
 * the standard input of the first process.
 * @packageDocumentation
 */
import { Buffer } from 'node:buffer'
import { deserialize, serialize } from 'node:v8'

const headBytes = 4
/** Frames beyond this are a mistake or an attack, not a message. */
const maxFrameBytes = 2 ** 32 - 1

/** One frame. */
export function frame(value: unknown): Buffer {
  const body = serialize(value)
  if (body.length > maxFrameBytes) throw new RangeError(`frame of ${body.length} bytes`)
  const bytes = Buffer.allocUnsafe(headBytes + body.length)
  bytes.writeUInt32LE(body.length, 0)
  body.copy(bytes, headBytes)
  return bytes
}

/** Puts frames together again. */
export class FrameReader {
  readonly #onFrame: (value: unknown) => void
  readonly #limit: number
  #chunks: Buffer[] = []
  #size = 0
  #wanted: number | undefined
  #stopped = false

  /** @param limit - Largest frame that is accepted, in bytes. */
  constructor(onFrame: (value: unknown) => void, limit = maxFrameBytes) {
    this.#onFrame = onFrame
    this.#limit = limit
  }

  /** @throws {RangeError} when a frame is longer than the limit. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    for (;;) {
      if (this.#wanted === undefined) {
        if (this.#size < headBytes) return
        this.#wanted = this.#take(headBytes).readUInt32LE(0)
        if (this.#wanted > this.#limit) throw new RangeError(`frame of ${this.#wanted} bytes, at most ${this.#limit} expected`)
      }
      if (this.#size < this.#wanted) return
      const body = this.#take(this.#wanted)
      this.#wanted = undefined
      this.#onFrame(deserialize(body))
      if (this.#stopped) return
    }
  }

  /** Stops after the present frame and gives back what has not been read. */
  stop(): Buffer {
    this.#stopped = true
    return this.#take(this.#size)
  }

  #take(length: number): Buffer {
    const first = this.#chunks[0]
    let taken: Buffer
    if (first !== undefined && first.length > length) {
      taken = first.subarray(0, length)
      this.#chunks[0] = first.subarray(length)
    } else if (first !== undefined && first.length === length) {
      taken = first
      this.#chunks.shift()
    } else {
      const all = Buffer.concat(this.#chunks)
      taken = all.subarray(0, length)
      this.#chunks = all.length > length ? [all.subarray(length)] : []
    }
    this.#size -= length
    return taken
  }
}
