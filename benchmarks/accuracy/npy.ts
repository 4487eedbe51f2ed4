import { writeFileSync } from 'node:fs'

/** Writes an array as NumPy reads it (format 1.0, C order). */
export function writeNpy(path: string, shape: readonly number[], values: Float32Array | Int32Array): void {
  const descriptor = values instanceof Int32Array ? '<i4' : '<f4'
  const text = `{'descr': '${descriptor}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`
  // The data begin at a multiple of 64 bytes.
  const head = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`
  const lengths = Uint8Array.of(head.length & 255, head.length >> 8)
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  writeFileSync(path, Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), lengths, Buffer.from(head, 'latin1'), data]))
}
