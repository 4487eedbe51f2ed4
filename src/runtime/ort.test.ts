import { describe, expect, test } from 'vitest'
import { BackendError } from '../errors.ts'
import { OnnxBuilder } from './onnx.ts'
import { OrtSession } from './ort.ts'

const options = { intraOpThreads: 1, arena: 'own' as const }

/** y = x + x over `[n]`. */
function doubling(n: number): Uint8Array {
  const onnx = new OnnxBuilder()
  onnx.input('x', [n], 'float32')
  onnx.node('Add', ['x', 'x'], {}, ['y'])
  onnx.output('y', [n], 'float32')
  return onnx.finish('doubling')
}

describe('OrtSession', () => {
  test('runs over the caller’s memory, slices included, and survives collections between runs', () => {
    const session = OrtSession.create(doubling(3), options)
    const memory = new Float32Array(12).fill(7)
    const call = (() => {
      const tensor = (data: Float32Array<ArrayBuffer>) => ({ shape: [3], type: 'float32' as const, data })
      return session.bind(new Map([['x', tensor(memory.subarray(2, 5))]]), new Map([['y', tensor(memory.subarray(6, 9))]]))
    })()
    for (let round = 1; round <= 50; round++) {
      memory.set([round, 2 * round, 3 * round], 2)
      // Garbage that makes the collector move and free what it can.
      expect(Array.from({ length: 500 }, (_, i) => new Float32Array(i % 16)).length).toBe(500)
      call()
      expect([...memory]).toEqual([7, 7, round, 2 * round, 3 * round, 7, 2 * round, 4 * round, 6 * round, 7, 7, 7])
    }
    session.close()
    session.close()
    expect(call).toThrow(BackendError)
  })

  test("reports ONNX Runtime's own words", () => {
    expect(() => OrtSession.create(new Uint8Array([1, 2, 3]), options)).toThrow(BackendError)
    const onnx = new OnnxBuilder()
    onnx.input('x', [2], 'float32')
    onnx.node('NoSuchOperator', ['x'], {}, ['y'])
    onnx.output('y', [2], 'float32')
    expect(() => OrtSession.create(onnx.finish('odd'), options)).toThrow(/NoSuchOperator/)
    const session = OrtSession.create(doubling(3), options)
    const tensor = (length: number) => ({ shape: [length], type: 'float32' as const, data: new Float32Array(length) })
    const call = session.bind(new Map([['x', tensor(4)]]), new Map([['y', tensor(4)]]))
    expect(call).toThrow(/dimension/i)
    session.close()
  })
})
