import { Worker } from 'node:worker_threads'
import { buildSync } from 'esbuild'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryError } from '../errors.ts'
import type { DType } from './dtype.ts'
import { bytesPerElement } from './dtype.ts'
import { allocationBytes, slice } from './handle.ts'
import { maximumSegmentBytes, Segment } from './segment.ts'

const dtypes: readonly DType[] = ['float32', 'float64', 'int32', 'uint8', 'bool']

test('allocations are zero, aligned to 64 bytes, disjoint and outside the reserved part', () => {
  const request = fc.record({ dtype: fc.constantFrom(...dtypes), length: fc.nat(300) })
  fc.assert(
    fc.property(fc.array(request, { maxLength: 12 }), (requests) => {
      using segment = Segment.create(
        requests.reduce((sum, { dtype, length }) => sum + allocationBytes(dtype, length), 0),
        'property',
      )
      let end = 65536
      for (const { dtype, length } of requests) {
        const array = segment.allocate(dtype, length)
        expect(array.length).toBe(length)
        expect(array.byteOffset % 64).toBe(0)
        expect(array.byteOffset).toBeGreaterThanOrEqual(end)
        expect(array.every((value) => value === 0)).toBe(true)
        array.fill(1)
        end = array.byteOffset + length * bytesPerElement(dtype)
      }
      expect(segment.usedBytes).toBeLessThanOrEqual(segment.sizeBytes)
    }),
    { numRuns: 30 },
  )
})

test('an allocation that does not fit says what was asked, used and free', () => {
  using segment = Segment.create(65536, 'model')
  segment.allocate('float32', 1000, 'weights')
  const attempt = () => segment.allocate('float64', 100_000, 'gradients')
  expect(attempt).toThrow(MemoryError)
  expect(attempt).toThrow(/"model".*"gradients".*126976 free bytes, got 800000 asked with 4032 of 131008 used/)
  try {
    attempt()
  } catch (error) {
    expect((error as MemoryError).details).toMatchObject({ askedBytes: 800000, usedBytes: 4032, freeBytes: 126976, what: 'gradients' })
  }
  expect(segment.allocate('uint8', 126976).length).toBe(126976)
  expect(() => segment.allocate('uint8', 1)).toThrow(MemoryError)
})

test('sizes that no segment can have are refused', () => {
  expect(() => Segment.create(maximumSegmentBytes + 1, 'huge')).toThrow(/"huge".*expected 0 to 4294901696 bytes/)
  expect(() => Segment.create(Number.NaN, 'nothing')).toThrow(MemoryError)
  using segment = Segment.create(1, 'small')
  expect(() => segment.allocate('float32', 1.5)).toThrow(/whole number/)
})

test('the largest segment is made and written at its end', () => {
  using segment = Segment.create(maximumSegmentBytes, 'largest')
  const last = segment.view({ segment: segment.id, byteOffset: 2 ** 32 - 72, length: 1, dtype: 'float64' })
  last[0] = 7
  expect(new Float64Array(segment.memory.buffer, 2 ** 32 - 72, 1)[0]).toBe(7)
})

test('the alias is a plain ArrayBuffer over the shared bytes, the same one at every attach', () => {
  using segment = Segment.create(1024, 'alias')
  const array = segment.allocate('int32', 16)
  expect(segment.buffer).toBeInstanceOf(ArrayBuffer)
  expect(array.buffer).toBe(segment.buffer)
  expect(Segment.attach(segment.ref)).toBe(segment)
  expect(Segment.of(array)).toBe(segment)
  expect(Segment.of(array.subarray(3))).toBe(segment)
  expect(Segment.of(new Int32Array(3))).toBeUndefined()
  const words = segment.shared(segment.handleOf(array))
  Atomics.store(words, 5, 42)
  expect(array[5]).toBe(42)
})

test('handles name arrays and parts of arrays', () => {
  using segment = Segment.create(4096, 'handles')
  using other = Segment.create(4096, 'other')
  const array = segment.allocate('float32', 100)
  array.forEach((_, index) => {
    array[index] = index
  })
  const handle = { ...segment.handleOf(array), dtype: 'float32' as const }
  expect(handle).toEqual({ segment: segment.id, byteOffset: array.byteOffset, length: 100, dtype: 'float32' })
  expect(Array.from(segment.view(slice(handle, 10, 3)))).toEqual([10, 11, 12])
  expect(segment.handleOf(segment.allocate('bool', 3), 'bool').dtype).toBe('bool')
  expect(() => other.view(handle)).toThrow(/"other": no such array/)
  expect(() => other.handleOf(array)).toThrow(/of another segment/)
  expect(() => other.handleOf(new Float32Array(1))).toThrow(/on the heap/)
  expect(() => segment.view({ ...handle, length: 1e6 })).toThrow(MemoryError)
  expect(() => segment.view({ ...handle, byteOffset: 0 })).toThrow(MemoryError)
  expect(() => segment.shared(slice(segment.handleOf(segment.allocate('uint8', 8)), 1, 4))).toThrow(/whole int32 words/)
})

test('closing is idempotent, stops allocation and leaves views valid', () => {
  const segment = Segment.create(1024, 'closing')
  const array = segment.allocate('float32', 4)
  segment.close()
  segment.close()
  array[1] = 3
  expect(array[1]).toBe(3)
  expect(() => segment.allocate('float32', 1)).toThrow(/the segment is closed/)
  expect(Segment.attach(segment.ref)).not.toBe(segment)
})

test('worker threads see the same bytes through their own alias, and may not allocate', async () => {
  using segment = Segment.create(65536, 'threads')
  const values = segment.allocate('float32', 8)
  const flag = segment.allocate('int32', 1)
  values[0] = 11
  const library = buildSync({
    entryPoints: ['src/memory/segment.ts'],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    external: ['koffi'],
  }).outputFiles[0]?.text
  const worker = new Worker(
    `${library}
    {
    const { parentPort, workerData } = require('node:worker_threads')
    const { Segment } = module.exports
    const segment = Segment.attach(workerData.ref)
    const values = segment.view(workerData.values)
    values[1] = values[0] + 1
    const words = segment.shared(workerData.flag)
    Atomics.store(words, 0, 1)
    let refused = ''
    try { segment.allocate('float32', 1, 'late') } catch (error) { refused = error.message }
    parentPort.postMessage({
      refused, usedBytes: segment.usedBytes, id: segment.id,
      same: Segment.attach(workerData.ref) === segment && Segment.of(values) === segment,
    })
    }`,
    { eval: true, workerData: { ref: segment.ref, values: segment.handleOf(values), flag: segment.handleOf(flag) } },
  )
  const report = await new Promise<Record<string, unknown>>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  await worker.terminate()
  expect(Atomics.load(segment.shared(segment.handleOf(flag)), 0)).toBe(1)
  expect(values[1]).toBe(12)
  expect(report).toMatchObject({ id: segment.id, usedBytes: segment.usedBytes, same: true })
  expect(report.refused).toMatch(/attached only/)
})
