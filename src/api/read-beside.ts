import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { DataError } from '../errors.ts'

/**
 * Reads parts of files in the folder of a model, or below it: big models keep their weights there.
 * @throws {DataError} when a file lies elsewhere, is missing, or is too short
 */
export function readBeside(model: string): (location: string, offset: number, length: number | undefined) => Uint8Array {
  const folder = dirname(model)
  const files = new Map<string, Uint8Array>()
  return (location, offset, length) => {
    const path = join(folder, location)
    const inside = relative(folder, path)
    if (inside === '' || inside.startsWith('..')) {
      throw new DataError(`model: weights outside of the folder are not read — expected a file in ${folder}, got ${location}`, { path })
    }
    const bytes = files.get(path) ?? readWhole(path)
    files.set(path, bytes)
    const end = length === undefined ? bytes.byteLength : offset + length
    if (end > bytes.byteLength) {
      throw new DataError(`model: ${path} is too short — expected ${end} bytes, got ${bytes.byteLength}`, { path })
    }
    return bytes.subarray(offset, end)
  }
}

function readWhole(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new DataError(`model: cannot read ${path} — expected the weights of the model`, { path }, cause)
  }
}
