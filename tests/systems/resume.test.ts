/** What was computed is not lost: a run that is stopped and resumed ends with the bits of one that was not. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { data, nn, optim, readRun, type TrainSpec, train } from '../../dist/index.js'
import { distance, perceptron, run, sameBits, waveform } from './small-run.ts'

const optimizer = optim.sgd({ learningRate: 0.05, momentum: 0.9 })
const folder = () => mkdtempSync(join(tmpdir(), 'tutti-resume-'))
const spec = { optimizer, until: { steps: 200 }, evaluateEvery: 40, reproducible: true } satisfies Partial<TrainSpec>

/** 6 texts of 512 words that read on from window to window: 64 steps an epoch. */
const words = Int32Array.from({ length: 6 * 512 + 1 }, (_, i) => (i * i + (i >> 3) * 5) % 17)
const windows = { features: words.subarray(0, -1), rowShape: [8], target: words.subarray(1), targetWidth: 8 }
const runningText = {
  ...data.fromArrays({ ...windows, test: data.fromArrays(windows) }),
  order: { kind: 'sequential', streams: 6 },
} as const
const languageModel = nn.lstmLm({ vocabulary: 17, width: 6, layers: 2, steps: 8, dropout: 0.2 })

/** Stops a run after its first evaluation, as Ctrl-C would. */
async function interrupted(given: Partial<TrainSpec>): Promise<string> {
  const out = folder()
  const stop = new AbortController()
  const result = await train(
    { model: perceptron, data: waveform, globalBatchSize: 48, seed: 3, ...spec, ...given, out },
    { signal: stop.signal, onEvent: (event) => event.type === 'evaluation' && stop.abort() },
  )
  expect(result.summary.status).toBe('interrupted')
  expect(result.summary.steps).toBeLessThan(200)
  expect(result.summary.steps).toBeGreaterThanOrEqual(40)
  return out
}

describe('stop and resume', () => {
  it.each([
    ['solo', 1],
    ['bsp', 2],
    ['hvd', 2],
    ['local', 2],
  ] as const)('%s gives the same bits as without the stop', async (system, workers) => {
    const whole = await run({ ...spec, system, workers })
    const out = await interrupted({ system, workers })
    const resumed = await run({ ...spec, system, workers, out, resume: out })
    expect(resumed.summary.steps).toBe(200)
    expect(sameBits(resumed, whole)).toBe(true)
  })

  it.each(['asp', 'ssp'] as const)('%s: a run that has ended can be given more steps', async (system) => {
    const out = folder()
    const first = await run({ ...spec, system, workers: 2, until: { steps: 40 }, out })
    const longer = await run({ ...spec, system, workers: 2, until: { steps: 80 }, out, resume: out })
    expect(longer.summary.steps).toBe(80)
    expect(distance(longer, first)).toBeGreaterThan(1e-3)
  })

  it('adam goes on with its moments', async () => {
    const adam = { ...spec, optimizer: optim.adam({ learningRate: 0.01 }) }
    const whole = await run({ ...adam, system: 'bsp', workers: 2 })
    const out = await interrupted({ ...adam, system: 'bsp', workers: 2 })
    expect(sameBits(await run({ ...adam, system: 'bsp', workers: 2, out, resume: out }), whole)).toBe(true)
  })

  it.each([
    ['solo', 1, {}],
    ['bsp', 2, {}],
    ['local', 2, {}],
    ['bsp', 2, { aggregate: 'parameter-server' }],
  ] as const)('%s on %i: a language model goes on with what its batches carry', async (system, workers, systemOptions) => {
    const fabric = system === 'local' ? 'virtual' : 'threads'
    const reader = { ...spec, model: languageModel, data: runningText, globalBatchSize: 6, system, workers, systemOptions, fabric } as const
    const whole = await run(reader)
    const out = await interrupted(reader)
    expect(readRun(out).summary.steps % 64, 'not where an epoch begins').toBeGreaterThan(0)
    const resumed = await run({ ...reader, out, resume: out })
    expect(sameBits(resumed, whole)).toBe(true)
  })

  it('a language model re-shards what its batches carry', async () => {
    const reader = { ...spec, model: languageModel, data: runningText, globalBatchSize: 6, until: { steps: 60 } }
    const out = await interrupted({ ...reader, system: 'bsp', workers: 3 })
    const resumed = await run({ ...reader, system: 'bsp', workers: 2, fabric: 'virtual', out, resume: out })
    expect(distance(resumed, await run(reader))).toBeLessThan(1e-5)
  })

  it('the parameter server goes on with its slots and clocks', async () => {
    const server = { system: 'bsp', systemOptions: { aggregate: 'parameter-server' }, workers: 2 }
    const whole = await run({ ...spec, ...server })
    const out = await interrupted(server)
    expect(sameBits(await run({ ...spec, ...server, out, resume: out }), whole)).toBe(true)
  })

  it('bsp re-shards to another number of ranks; replicas that differ are refused', async () => {
    const out = await interrupted({ system: 'bsp', workers: 2 })
    const resumed = await run({ ...spec, system: 'bsp', workers: 3, out, resume: out })
    expect(resumed.summary.steps).toBe(200)
    const differing = await interrupted({ system: 'local', workers: 2 })
    await expect(run({ ...spec, system: 'local', workers: 3, out: differing, resume: differing })).rejects.toThrow(/workers 2 — got 3/)
  })

  it('the record of a resumed run goes on where the first part ended', async () => {
    const out = await interrupted({ system: 'solo' })
    const first = readRun(out)
    const resumed = await run({ ...spec, system: 'solo', out, resume: out })
    const { summary, metrics } = readRun(out)
    expect(metrics.slice(0, first.metrics.length)).toEqual(first.metrics)
    const scored = metrics.filter(({ kind }) => kind === 'evaluation').map(({ step }) => step)
    expect(scored).toEqual([...new Set(scored)])
    expect(scored).toEqual(expect.arrayContaining([40, 80, 120, 160, 200]))
    for (const [i, row] of metrics.slice(1).entries()) expect(row.time).toBeGreaterThanOrEqual(metrics[i]?.time as number)
    expect(summary.resumedAt).toBe(first.summary.steps)
    const own = summary.trainSeconds - (first.metrics.at(-1)?.time as number)
    expect(summary.samplesPerSecond).toBeCloseTo(((200 - first.summary.steps) * 48) / own, 5)
    expect(resumed.summary).toEqual(summary)
  })

  it('another batch, seed or model is refused in one line', async () => {
    const out = await interrupted({ system: 'solo' })
    await expect(run({ ...spec, globalBatchSize: 32, out, resume: out })).rejects.toThrow(/globalBatchSize 48 — got 32/)
    await expect(run({ ...spec, seed: 9, out, resume: out })).rejects.toThrow(/seed 3 — got 9/)
    await expect(run({ ...spec, resume: folder() })).rejects.toThrow(/no checkpoint in/)
  })
})

describe('a rank is lost', () => {
  it.each(['throw', 'crash', 'hang'] as const)(
    '%s: one error names the rank, and the run goes on from the last committed step',
    async (kind) => {
      const out = folder()
      const failing = run({ ...spec, system: 'bsp', workers: 2, out, timeoutMs: 8000, faults: [{ rank: 1, kind, afterOperations: 60 }] })
      const error = await failing.then(
        () => undefined,
        (caught) => caught,
      )
      expect(error?.details.ranks, error?.message).toEqual([1])
      expect(error?.message.split('\n')).toHaveLength(1)
      const whole = await run({ ...spec, system: 'bsp', workers: 2 })
      expect(sameBits(await run({ ...spec, system: 'bsp', workers: 2, out, resume: out }), whole)).toBe(true)
    },
  )
})
