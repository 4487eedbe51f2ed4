import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatCount, formatMetric, formatNumber, formatRatio, formatSeconds, formatSpread } from './format.ts'
import { formatFacts, formatTable } from './table.ts'

describe('units', () => {
  it.each([
    [0, '0 s'],
    [2e-9, '2.00 ns'],
    [850e-6, '850 µs'],
    [0.0123, '12.3 ms'],
    [4.2, '4.20 s'],
    [99.99, '100 s'],
    [185, '3 min 05 s'],
    [119.6, '2 min 00 s'],
    [3599.7, '1 h 00 min'],
    [7800, '2 h 10 min'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text)
  })

  it('keeps two digits of small ratios, and gives wide spreads as multiples', () => {
    expect([1.234, 0.5, 0.0123, 0].map(formatRatio)).toEqual(['1.23', '0.50', '0.012', '0.00'])
    expect([0.042, 0.999, 1.299, 25].map(formatSpread)).toEqual(['±4.2 %', '±99.9 %', '±1.3x', '±25x'])
  })

  it.each([
    [60_000, '60,000'],
    [999_999, '999,999'],
    [1_200_000, '1.20 M'],
    [2e9, '2.00 G'],
  ])('%d things are %s', (count, text) => {
    expect(formatCount(count)).toBe(text)
  })

  it('shows accuracies as percentages and other metrics as numbers', () => {
    expect(formatMetric('accuracy', 0.98834)).toBe('98.83 %')
    expect(formatMetric('inertia', 152_345.6)).toBe('152,346')
  })

  it('keeps numbers within half a percent, whatever their size', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 1e15, noNaN: true }), (value) => {
        const back = Number(formatNumber(value).replaceAll(',', ''))
        expect(Math.abs(back - value) / value).toBeLessThanOrEqual(0.0051)
      }),
    )
  })
})

describe('formatTable', () => {
  it('aligns columns and marks what is missing', () => {
    const rows = [
      { name: 'solo', time: 1.5 },
      { name: 'bsp', time: undefined },
    ]
    const text = formatTable(rows, [
      { title: 'system', value: (row) => row.name },
      { title: 'µs', value: (row) => row.time?.toFixed(2), align: 'right' },
    ])
    expect(text).toBe(['system    µs', '──────  ────', 'solo    1.50', 'bsp        –'].join('\n'))
  })

  it('hangs what does not fit into a line under its column', () => {
    const words = Array.from({ length: 60 }, (_, i) => `word${i}`)
    const lines = formatFacts([
      ['a', words.join(' ')],
      ['long', 'b'],
    ]).split('\n')
    expect(lines.at(-1)).toBe('long  b')
    expect(lines.slice(1, -1).every((line) => line.startsWith('      word'))).toBe(true)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(110)
    expect(lines.slice(0, -1).join(' ').split(/\s+/).slice(1)).toEqual(words)
  })

  it('writes facts in two columns', () => {
    expect(
      formatFacts([
        ['cores', '2'],
        ['memory', '8 GiB'],
      ]),
    ).toBe('cores   2\nmemory  8 GiB')
  })
})
