import { describe, expect, test } from 'vitest'
import { compile } from '../../runtime/compile.ts'
import { u } from '../../rng.ts'
import { GraphBuilder } from '../builder.ts'
import { grad } from '../grad.ts'

/** Loss, gradient and hits of rows of scores against classes, of which −1 is none. */
async function run(classes: number, target: readonly number[], driver: 'onnxruntime' | 'reference') {
  const rows = target.length
  const builder = new GraphBuilder()
  const logits = builder.input('logits', ['batch', classes], 'float32')
  const inputs = [logits, builder.input('target', ['batch'], 'int32'), builder.input('weight', ['batch'], 'float32')]
  const loss = builder.add('softmaxCrossEntropy', [...inputs, builder.input('divisor', [], 'float32')], {})
  builder.output('loss', loss)
  builder.output('correct', builder.add('correctCount', inputs, {}))
  for (const gradient of grad(builder, loss, [logits])) builder.output('gradient', gradient)
  await using executable = await compile(builder.build(), { batchSize: rows, driver })
  const arrays = {
    logits: Float32Array.from({ length: rows * classes }, (_, i) => 8 * u(1, 2, 3, i) - 4),
    target: Int32Array.from(target),
    weight: Float32Array.from(target, (_, i) => 1 + i / 4),
    divisor: Float32Array.of(5),
    loss: new Float32Array(1),
    correct: new Float32Array(1),
    gradient: new Float32Array(rows * classes),
  }
  await executable.bind(arrays).run()
  return arrays
}

describe('cross-entropy of classes', () => {
  test('rows with target −1 count nowhere', async () => {
    const all = await run(7, [3, -1, 0, -1, 6], 'onnxruntime')
    expect([...all.gradient.subarray(7, 14), ...all.gradient.subarray(21, 28)].map(Math.abs)).toEqual(new Array(14).fill(0))
    const expected = await run(7, [3, -1, 0, -1, 6], 'reference')
    expect(all.loss[0]).toBeCloseTo(expected.loss[0] as number, 5)
    expect(all.correct[0]).toBe(expected.correct[0])
    // The same rows with weight 0 in place of no target: what the others do does not depend on it.
    const others = await run(7, [3, 1, 0, 1, 6], 'reference')
    expect(all.gradient[0]).toBeCloseTo(others.gradient[0] as number, 5)
    expect(others.gradient[7]).not.toBe(0)
  })

  test('a batch without any target has loss 0 and gradient 0', async () => {
    const none = await run(4, [-1, -1], 'onnxruntime')
    expect(none.loss[0]).toBeCloseTo(0, 10)
    expect([...none.gradient].every((value) => Math.abs(value) === 0)).toBe(true)
  })

  test('agrees with the reference for thousands of classes, and scores far below the largest keep their loss', async () => {
    const target = [0, 4999, 77, -1]
    const [ours, expected] = [await run(5000, target, 'onnxruntime'), await run(5000, target, 'reference')]
    expect((ours.loss[0] as number) / (expected.loss[0] as number)).toBeCloseTo(1, 5)
    const worst = Math.max(...ours.gradient.map((value, i) => Math.abs(value - (expected.gradient[i] as number))))
    expect(worst).toBeLessThan(1e-6)
  })
})
