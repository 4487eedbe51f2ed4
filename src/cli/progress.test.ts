import { describe, expect, it } from 'vitest'
import { Output } from './output.ts'
import { createProgress, linePauseMs } from './progress.ts'

function collect(isTTY: boolean, json = false) {
  const lines: string[] = []
  const sink = { write: (text: string) => lines.push(text), isTTY, columns: 120 }
  return { lines, output: new Output(sink, sink, json) }
}

describe('progress without a terminal', () => {
  it('prints a line every tenth of the way, however often it is called', () => {
    const { lines, output } = collect(false)
    let clock = 0
    const progress = createProgress(output, { title: 'train', total: 1000, unit: 'steps', now: () => clock })
    for (let step = 1; step <= 1000; step++) {
      clock = step * 100
      progress.update(step, 'loss 0.5')
    }
    expect(lines.length).toBe(10)
    expect(lines[2]).toBe('train: 30 % (300 of 1,000 steps) after 30.0 s, loss 0.5\n')
    expect(lines.at(-1)).toContain('100 % (1,000 of 1,000 steps)')
  })

  it('says nothing when the whole takes a moment', () => {
    const { lines, output } = collect(false)
    let clock = 0
    const progress = createProgress(output, { title: 'read', total: 100, unit: 'rows', now: () => clock })
    for (let row = 1; row <= 100; row++) {
      clock = (row * linePauseMs) / 200
      progress.update(row)
    }
    expect(lines).toEqual([])
  })

  it('says how far it is when the end is unknown', () => {
    const { lines, output } = collect(false)
    let clock = 0
    const progress = createProgress(output, { title: 'fetch', total: 0, unit: 'bytes', now: () => clock })
    progress.update(5)
    clock = 11_000
    progress.update(2_000)
    expect(lines).toEqual(['fetch: 2,000 bytes after 11.0 s\n'])
  })

  it('is silent beside --json', () => {
    const { lines, output } = collect(false, true)
    const progress = createProgress(output, { title: 'train', total: 1, unit: 'steps' })
    progress.update(1)
    progress.note('something')
    progress.close()
    expect(lines).toEqual([])
  })
})

describe('progress on a terminal', () => {
  it('draws a bar with its state, prints notes on lines of their own, and ends once', () => {
    const { lines, output } = collect(true)
    const progress = createProgress(output, { title: 'train', total: 10, unit: 'steps' })
    progress.update(5, 'loss 0.5')
    progress.note('epoch 1: 97.1 %')
    progress.update(10, 'loss 0.2')
    progress.close()
    progress.close()
    const text = lines.join('')
    expect(text).toContain('train')
    expect(text).toContain('epoch 1: 97.1 %\n')
    expect(text).toContain('loss 0.2')
    expect(text.match(/10\/10 steps/g)?.length).toBeGreaterThanOrEqual(1)
  })
})
