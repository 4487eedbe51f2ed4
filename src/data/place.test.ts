import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { Segment } from '../memory/segment.ts'
import type { Dataset } from './dataset.ts'
import { fromArrays } from './from-arrays.ts'
import { makeDataset } from './make-dataset.ts'
import { attachDataset, datasetArrays, datasetFromArrays, placedBytes, placeDataset } from './place.ts'
import { take } from './take.ts'

function images(): Dataset {
  const test = fromArrays({
    features: Uint8Array.of(9, 8),
    rowShape: [1, 2],
    target: Int32Array.of(1),
    classes: ['a', 'b'],
    name: 'images test',
  })
  return fromArrays({
    features: Uint8Array.from({ length: 6 }, (_, i) => i),
    rowShape: [1, 2],
    target: Int32Array.of(0, 1, 0),
    classes: ['a', 'b'],
    normalize: { scale: 1 / 255, shift: 0 },
    name: 'images',
    test,
  })
}

describe('placeDataset', () => {
  it('puts the rows into a segment, and a description finds them again', () => {
    const dataset = images()
    const { segment, placed } = placeDataset(dataset, { extraBytes: 100 })
    const message: unknown = JSON.parse(JSON.stringify(placed))
    const attached = attachDataset(message as typeof placed, Segment.attach(segment.ref))
    expect(Segment.of(attached.features.values)).toBe(segment)
    expect(attached.features).toEqual(dataset.features)
    expect(attached.target).toEqual(dataset.target)
    expect(attached.test!.features).toEqual(dataset.test!.features)
    expect(attached).toMatchObject({
      name: 'images',
      rows: 3,
      classes: ['a', 'b'],
      normalize: { scale: 1 / 255, shift: 0 },
      hash: dataset.hash,
    })
    expect(segment.usedBytes).toBe(placedBytes(dataset))
    segment.allocate('uint8', 100)
    segment.close()
  })

  it('leaves evaluation rows out where asked to', () => {
    const { segment, placed } = placeDataset(images(), { test: false })
    expect(attachDataset(placed, segment).test).toBeUndefined()
    expect(segment.usedBytes).toBe(placedBytes(images(), { test: false }))
    segment.close()
  })

  it('is seen by another thread without a copy', async () => {
    const { segment, placed } = placeDataset(images())
    // The reading thread knows nothing of this package: it finds the bytes by the handle alone.
    const code = `const { parentPort, workerData } = require('node:worker_threads')
      const { memory, handle } = workerData
      const bytes = new Uint8Array(memory.buffer, handle.byteOffset, handle.length)
      parentPort.postMessage([...bytes])
      bytes[0] = 77`
    const worker = new Worker(code, { eval: true, workerData: { memory: segment.ref.memory, handle: placed.features.handle } })
    const seen = await new Promise<number[]>((resolve, reject) => {
      worker.on('message', resolve)
      worker.on('error', reject)
    })
    await new Promise((resolve) => worker.on('exit', resolve))
    expect(seen).toEqual([0, 1, 2, 3, 4, 5])
    expect(attachDataset(placed, segment).features.values[0]).toBe(77)
    segment.close()
  })
})

it('ids, their names, edges and order survive a message and a segment', () => {
  const order = { kind: 'sequential', streams: 2 } as const
  const words = makeDataset({
    name: 'words',
    features: { dtype: 'int32', shape: [4, 2], values: Int32Array.of(0, 1, 2, 0, 1, 2, 2, 2) },
    target: { dtype: 'int32', shape: [4, 2], values: Int32Array.of(1, 2, 0, -1, 2, 2, 1, 0) },
    vocabulary: ['a', 'b', 'c'],
    edges: { dtype: 'int32', shape: [1, 2], values: Int32Array.of(0, 1) },
    order,
    normalize: { scale: 1, shift: 0 },
  })
  const { segment, placed } = placeDataset(words)
  for (const copy of [attachDataset(structuredClone(placed), segment), datasetFromArrays(structuredClone(datasetArrays(words)))]) {
    expect(copy).toMatchObject({ vocabulary: words.vocabulary, edges: words.edges, order, hash: words.hash })
    expect([...copy.features.values]).toEqual([...words.features.values])
    expect(take(copy, 2).order).toEqual(order)
    // Picked rows do not continue each other.
    expect(take(copy, [2, 0]).order).toBeUndefined()
  }
})

describe('datasetArrays', () => {
  it('is plain data that survives a message, with views cut down to their rows', () => {
    const dataset = images()
    const { segment, placed } = placeDataset(dataset)
    const plain = datasetArrays(attachDataset(placed, segment))
    const moved = datasetFromArrays(structuredClone(plain))
    expect(plain.features.values.buffer.byteLength).toBe(6)
    expect(moved.features).toEqual(dataset.features)
    expect(moved.hash).toBe(dataset.hash)
    expect(moved.test!.hash).toBe(dataset.test!.hash)
    segment.close()
  })
})
