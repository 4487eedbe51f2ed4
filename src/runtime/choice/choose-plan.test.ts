import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { bindBatch } from '../../graph/bind.ts'
import { GraphBuilder } from '../../graph/builder.ts'
import type { Graph } from '../../graph/graph.ts'
import { compile } from '../compile.ts'
import { hasLibrary } from '../drivers/onednn/library.ts'
import { choosePlan } from './choose-plan.ts'
import { formulations, isDriverPlan } from './driver-plan.ts'
import { planKey, readPlan, writePlan } from './plan-cache.ts'

const folder = mkdtempSync(join(tmpdir(), 'tutti-plans-'))
afterAll(() => rmSync(folder, { recursive: true }))

function convolution(name = 'x', channels = 3): Graph {
  const builder = new GraphBuilder()
  const x = builder.input(name, ['batch', channels, 6, 6], 'float32')
  const attrs = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 }
  builder.output('y', builder.add('conv', [x, builder.input('w', [4, channels, 3, 3], 'float32')], attrs))
  return builder.build()
}

describe('choosePlan', () => {
  test('does not measure what only ONNX Runtime can run', async () => {
    const builder = new GraphBuilder()
    builder.output('y', builder.add('relu', [builder.input('x', ['batch', 4], 'float32')], {}))
    const cacheFile = join(folder, 'none.json')
    expect(await choosePlan(builder.build(), { batchSize: 2, cacheFile, remember: true })).toEqual({ driver: 'onnxruntime' })
    expect(() => readFileSync(cacheFile)).toThrow('ENOENT')
  })

  test.runIf(hasLibrary())('remembers what it measured, and believes it', async () => {
    const cacheFile = join(folder, 'a', 'plans.json')
    const plan = await choosePlan(convolution(), { batchSize: 2, cacheFile, remember: true })
    expect(['onnxruntime', 'onednn']).toContain(plan.driver)
    const [key = ''] = Object.keys((JSON.parse(readFileSync(cacheFile, 'utf8')) as { plans: object }).plans)
    const other = plan.driver === 'onednn' ? 'onnxruntime' : 'onednn'
    writePlan(key, { driver: other }, cacheFile)
    expect(await choosePlan(convolution('renamed'), { batchSize: 2, cacheFile, remember: true })).toEqual({ driver: other })
  })

  test.runIf(hasLibrary())('measures again when the file is broken or foreign', async () => {
    const cacheFile = join(folder, 'broken.json')
    for (const content of ['{', '[]', 'null', '{"format":"other","version":2,"plans":{}}', '{"format":"tutti-driver-plans","version":2}']) {
      writeFileSync(cacheFile, content)
      const plan = await choosePlan(convolution(), { batchSize: 2, cacheFile, remember: true })
      expect(Object.values((JSON.parse(readFileSync(cacheFile, 'utf8')) as { plans: object }).plans)).toEqual([plan])
    }
  })
})

describe('plans', () => {
  test.runIf(hasLibrary())('of a graph tell how each of its large products is computed, by the plans of single products', async () => {
    const builder = new GraphBuilder()
    const x = builder.input('x', ['batch', 256], 'float32')
    const orders = { transposeA: false, transposeB: true }
    const hidden = builder.add('matmul', [x, builder.input('v', [256, 256], 'float32')], orders)
    builder.output('y', builder.add('matmul', [hidden, builder.input('w', [256, 256], 'float32')], orders))
    const cacheFile = join(folder, 'products.json')
    const plan = await choosePlan(builder.build(), { batchSize: 128, cacheFile, remember: true })
    if (plan.driver === 'onednn') {
      expect(Object.keys(plan.products ?? {})).toEqual(['matmul 128×256 · 256×256ᵀ'])
      expect(formulations).toContain(Object.values(plan.products ?? {})[0])
    }
    // Measured once each: the product, which both layers share, and the whole.
    expect(Object.keys((JSON.parse(readFileSync(cacheFile, 'utf8')) as { plans: object }).plans)).toHaveLength(2)
    await using executable = await compile(builder.build(), { batchSize: 128, plan })
    expect(executable.plan).toEqual(plan)
  })

  test('that name an unknown way to compute a product count as none', () => {
    expect(isDriverPlan({ driver: 'onednn', products: { a: 'packed' } })).toBe(true)
    expect(isDriverPlan({ driver: 'onednn', products: { a: 'folded' } })).toBe(false)
    expect(isDriverPlan({ driver: 'onednn', products: 3 })).toBe(false)
  })

  test('have keys that tell shapes, threads and libraries apart, but no names', () => {
    const key = (graph: Graph, batch = 2, threads = 1, version = '2.6.3'): string => planKey(bindBatch(graph, batch), threads, version)
    expect(key(convolution('renamed'))).toBe(key(convolution()))
    const different = [
      key(convolution()),
      key(convolution('x', 4)),
      key(convolution(), 3),
      key(convolution(), 2, 2),
      key(convolution(), 2, 1, '3.2.0'),
    ]
    expect(new Set(different).size).toBe(different.length)
  })

  test('the file forgets the oldest, and what is no plan', () => {
    const file = join(folder, 'many.json')
    writeFileSync(file, JSON.stringify({ format: 'tutti-driver-plans', version: 2, plans: { odd: { driver: 'other' } } }))
    expect(readPlan('odd', file)).toBeUndefined()
    for (const n of [1, 2]) writePlan(`k${n}`, { driver: 'onednn' }, file)
    const stored = (): string[] => Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { plans: object }).plans)
    expect(stored()).toEqual(['k1', 'k2'])
    const plans = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`n${n}`, { driver: 'onnxruntime' }]))
    writeFileSync(file, JSON.stringify({ format: 'tutti-driver-plans', version: 2, plans }))
    writePlan('new', { driver: 'onednn' }, file)
    expect(stored().length).toBe(1000)
    expect([readPlan('n0', file), readPlan('n1', file), readPlan('new', file)]).toEqual([
      undefined,
      { driver: 'onnxruntime' },
      { driver: 'onednn' },
    ])
  })

  test('a folder that cannot be written is no error', () => {
    writePlan('k', { driver: 'onednn' }, join('/proc/none', 'plans.json'))
    expect(readPlan('k', join('/proc/none', 'plans.json'))).toBeUndefined()
  })

  test('a plan decides in place of the driver, and the executable has it', async () => {
    await using executable = await compile(convolution(), { batchSize: 2, driver: 'reference', plan: { driver: 'onnxruntime' } })
    expect(executable.plan).toEqual({ driver: 'onnxruntime' })
  })
})
