import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testReader } from '../../../tests/contracts/reader-contract.ts'
import { idx, readIdxArray } from './idx.ts'

function header(type: number, ...sizes: number[]): number[] {
  return [0, 0, type, sizes.length, ...sizes.flatMap((size) => [size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255])]
}

const pixels = [0, 1, 2, 255, 10, 11, 12, 13, 20, 21, 22, 23]
const images = Uint8Array.from([...header(8, 3, 2, 2), ...pixels])
const labels = (...values: number[]): Uint8Array => Uint8Array.from([...header(8, values.length), ...values])
const floatLabels = (value: number): Uint8Array => {
  const content = new Uint8Array(8 + 12)
  content.set(header(13, 3))
  const view = new DataView(content.buffer)
  for (let i = 0; i < 3; i++) view.setFloat32(8 + 4 * i, i === 1 ? value : i)
  return content
}
const files = (main: Uint8Array, second: Uint8Array): Record<string, Uint8Array> => ({
  'images-idx3-ubyte': main,
  'labels-idx1-ubyte': second,
})

testReader({
  reader: idx,
  good: {
    files: files(images, labels(7, 2, 7)),
    features: [pixels.slice(0, 4), pixels.slice(4, 8), pixels.slice(8)],
    target: [1, 0, 1],
    classes: ['2', '7'],
  },
  truncated: {
    files: files(images.subarray(0, -3), labels(7, 2, 7)),
    message: /images-idx3-ubyte byte 25: the file ends inside its rows — expected 3 more bytes/,
  },
  malformed: {
    files: files(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]), labels(7)),
    message: /byte 0: the magic number is wrong .* got 0x01020304/,
  },
  badLabel: {
    files: files(images, floatLabels(Number.NaN)),
    message: /labels-idx1-ubyte byte 12: label 1 cannot be used — expected a label, got NaN/,
  },
  unknownLabel: {
    files: files(images, labels(0, 1, 9)),
    options: { classes: ['0', '1'] },
    message: /byte 10: label 2 cannot be used — expected one of the classes 0, 1, got 9/,
  },
})

describe('readIdxArray', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-idx-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })
  const put = async (name: string, content: Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), content)
    return join(folder, name)
  }

  it('reads every element kind, big-endian', async () => {
    const kinds: readonly (readonly [number, number, (view: DataView, byte: number, value: number) => void, string])[] = [
      [9, 1, (view, byte, value) => view.setInt8(byte, value), 'int32'],
      [11, 2, (view, byte, value) => view.setInt16(byte, value), 'int32'],
      [12, 4, (view, byte, value) => view.setInt32(byte, value), 'int32'],
      [13, 4, (view, byte, value) => view.setFloat32(byte, value), 'float32'],
      [14, 8, (view, byte, value) => view.setFloat64(byte, value), 'float64'],
    ]
    for (const [type, size, set, dtype] of kinds) {
      const content = new Uint8Array(8 + 2 * size)
      content.set(header(type, 2))
      const view = new DataView(content.buffer)
      set(view, 8, -3)
      set(view, 8 + size, 100)
      const array = await readIdxArray(await put(`type-${type}`, content))
      expect(array.dtype).toBe(dtype)
      expect([...array.values]).toEqual([-3, 100])
    }
  })

  it('keeps bytes as bytes, scaled to 0..1 on use', async () => {
    const dataset = await idx.read(await put('bytes', images))
    expect(dataset.features.dtype).toBe('uint8')
    expect(dataset.features.shape).toEqual([3, 2, 2])
    expect(dataset.normalize).toEqual({ scale: 1 / 255, shift: 0 })
    expect(dataset.target).toBeUndefined()
  })

  it('refuses a file that goes on after its rows', async () => {
    await expect(readIdxArray(await put('longer', Uint8Array.from([...images, 1])))).rejects.toThrow(
      /byte 28: the file goes on after its last row/,
    )
  })

  it('refuses labels of another number', async () => {
    const path = await put('images', images)
    await put('few', labels(1, 2))
    await expect(idx.read(path, { labels: join(folder, 'few') })).rejects.toThrow(
      /the labels do not fit the images — expected 3 labels, got an array of 2/,
    )
  })

  it('refuses a header that asks for more than can be', async () => {
    const content = Uint8Array.from(header(14, 0xffffffff, 0xffff))
    await expect(readIdxArray(await put('huge', content))).rejects.toThrow(/the header asks for too much/)
  })
})
