import { describe, expect, it } from 'vitest'
import { defaultComparison } from '../../tests/compare/synthetic-comparison.ts'
import { syntheticRecord } from '../../tests/compare/synthetic-record.ts'
import type { RunEvent } from '../api/events.ts'
import { summarizeRun } from '../compare/summary.ts'
import { CompareDisplay } from './compare-display.ts'
import { Output } from './output.ts'
import { RunDisplay, type RunDisplayOptions } from './run-display.ts'
import { formatRun } from './run-report.ts'

function collect() {
  const lines: string[] = []
  const sink = { write: (text: string) => lines.push(text.trimEnd()), isTTY: false, columns: 120 }
  return { lines, output: new Output(sink, sink, false) }
}

const preflight = { ranks: 1, threads: 1, memoryBytes: 1e6, freeBytes: 1e9, bytesPerStep: 0, steps: 1000 }
const evaluation = (step: number, split: 'test' | 'validation' = 'test'): RunEvent => ({
  type: 'evaluation',
  split,
  step,
  epoch: step / 100,
  samples: step * 32,
  time: step / 10,
  loss: 0.5,
  metric: 0.9,
})

function shown(options: Partial<RunDisplayOptions>, events: readonly RunEvent[]): string[] {
  const { lines, output } = collect()
  using display = new RunDisplay(output, { title: 'bsp ×1', metricName: 'accuracy', ...options })
  display.onEvent({ type: 'preflight', preflight })
  for (const event of events) display.onEvent(event)
  return lines.filter((line) => line.startsWith('epoch'))
}

describe('a run while it goes on', () => {
  it('prints about twenty evaluations of many, the last one among them, and all of few', () => {
    const many = shown(
      {},
      Array.from({ length: 500 }, (_, i) => evaluation(2 * (i + 1))),
    )
    expect(many.length).toBeLessThanOrEqual(21)
    expect(many.at(-1)).toBe('epoch 10: accuracy 90.00 % after 1 min 40 s')
    const few = [250, 500, 750, 1000].flatMap((step) => [evaluation(step, 'validation'), evaluation(step)])
    expect(shown({}, few)).toHaveLength(8)
  })

  it('names the step where next to nothing of an epoch has passed', () => {
    const { lines, output } = collect()
    using display = new RunDisplay(output, { title: 'bsp ×1', metricName: 'accuracy' })
    display.onEvent({ type: 'preflight', preflight: { ...preflight, steps: 3 } })
    display.onEvent(evaluation(3))
    expect(lines.at(-1)).toBe('step 3: accuracy 90.00 % after 300 ms')
  })

  it('warns of more ranks than cores', () => {
    const { lines, output } = collect()
    using display = new RunDisplay(output, { title: 'bsp ×64', metricName: 'accuracy', cores: 2 })
    display.onEvent({ type: 'preflight', preflight: { ...preflight, ranks: 64, expectedSeconds: 90 } })
    expect(lines.at(-1)).toBe('64 ranks take turns on 2 cores: not faster than --workers 2, about 90.0 s or more')
  })

  it('says that virtual time is simulated', () => {
    expect(shown({ simulated: true }, [evaluation(1000)])).toEqual(['epoch 10: accuracy 90.00 % after 1 min 40 s (simulated)'])
  })
})

describe('what a run was', () => {
  it('gives the simulated clock of virtual ranks a line of its own', () => {
    const text = formatRun(summarizeRun(syntheticRecord({ paradigm: 'virtual' })), undefined)
    expect(text).toMatch(/^simulated +[\d.]+ s for 1,404 steps, [\d,]+ rows\/s: the clock of virtual, no measurement$/m)
    expect(text).not.toMatch(/^throughput/m)
    expect(formatRun(summarizeRun(syntheticRecord()), undefined)).toMatch(/^throughput/m)
  })
})

describe('a comparison while it goes on', () => {
  it('says that a worker is lost on purpose, and what steps of a statistic report', () => {
    const { lines, output } = collect()
    using display = new CompareDisplay(output, () => 'inertia')
    const record = defaultComparison().find((one) => one.config.id === 'lost-parallel')
    if (!record) throw new Error('the synthetic comparison has lost its lost run')
    const faults = [{ rank: 1, kind: 'crash', afterOperations: 60 }] as const
    const one = { workload: 'lenet-5/mnist', system: 'bsp', fabric: 'threads', workers: 2, faults } as const
    display.onProgress({ run: 1, runs: 2, case: one, event: { type: 'end', record } })
    expect(lines).toEqual(['[1/2] lenet-5/mnist · bsp · threads ×2 · a worker is lost on purpose: rank 1 was lost at step 562; resumable'])
  })
})
