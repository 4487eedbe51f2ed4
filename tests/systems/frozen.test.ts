/** What is frozen stays where it is: no step changes it, and no exchange carries it. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadModel, nn, optim, summarizeRun, type TrainRun, type TrainSpec } from '../../dist/index.js'
import { perceptron, run, sameBits } from './small-run.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'tutti-frozen-'))
const deep = nn.mlp([21, 64, 64, 3])
const frozen = nn.freeze(deep, ['d1.*', 'd2.*'])
/** Bytes of steps, a rank: evaluation and checkpoints aside. */
const bytesOf = (result: TrainRun) => {
  const ofSteps = summarizeRun(result).phases.filter(({ phase }) => ['gradients', 'parameters', 'push', 'pull'].includes(phase))
  return ofSteps.reduce((sum, { bytes }) => sum + bytes, 0)
}

const systems = [
  ['bsp', {}],
  ['bsp', { aggregate: 'parameter-server', servers: 2 }],
  ['hvd', { bucketBytes: 1024 }],
  ['local', { localSteps: 3 }],
  ['asp', {}],
] as const

describe.each(systems)('%s %o', (system, systemOptions) => {
  const spec = { system, systemOptions, workers: 2, optimizer: optim.adam({ learningRate: 0.01 }) } satisfies Partial<TrainSpec>

  it('sends what is trained', async () => {
    const virtual = { ...spec, fabric: 'virtual' } as const
    const [all, part] = [await run({ ...virtual, model: deep }), await run({ ...virtual, model: frozen })]
    // 21·64 + 64 + 64·64 + 64 of 5763 parameters are frozen; a step sends the other 195, padding and the tail.
    expect(bytesOf(part)).toBeLessThan(0.1 * bytesOf(all))
    expect(part.config.preflight.bytesPerStep).toBeGreaterThan(0.8 * bytesOf(part))
    expect(part.config.preflight.bytesPerStep).toBeLessThan(1.2 * bytesOf(part))
  })

  it('keeps what is frozen, in the result and in its file', async () => {
    const out = folder()
    const start = (await run({ model: deep, until: { steps: 12 } })).model
    const tuned = await run({ ...spec, model: start.freeze(['d1.*', 'd2.*']), out, keepBest: system !== 'asp' })
    const saved = loadModel(join(out, 'model.onnx'))
    for (const [name, values] of Object.entries(start.values)) {
      if (name.startsWith('d3')) expect(tuned.model.values[name]).not.toEqual(values)
      else for (const held of [tuned.model, saved, ...(tuned.best ? [tuned.best.model] : [])]) expect(held.values[name]).toEqual(values)
    }
    expect(saved.values).toEqual(tuned.model.values)
  })
})

it('a checkpoint holds all parameters and the slots of what is trained', async () => {
  const out = folder()
  const spec = { model: nn.freeze(perceptron, 'd1.*'), system: 'bsp', workers: 2, reproducible: true } as const
  const whole = await run({ ...spec, optimizer: optim.adam() })
  await run({ ...spec, optimizer: optim.adam(), until: { steps: 12 }, out })
  const { files } = JSON.parse(readFileSync(join(out, 'checkpoint', 'latest.json'), 'utf8'))
  const file = readFileSync(join(out, 'checkpoint', files[0]))
  const { __metadata__, ...held } = JSON.parse(file.subarray(8, 8 + Number(file.readBigUInt64LE(0))).toString())
  expect(Object.keys(held).sort()).toEqual(
    ['d1.bias', 'd1.weight', ...['', 'slot0/', 'slot1/'].flatMap((slot) => [`${slot}d2.bias`, `${slot}d2.weight`])].sort(),
  )
  expect(sameBits(await run({ ...spec, optimizer: optim.adam(), out, resume: out }), whole)).toBe(true)
})
