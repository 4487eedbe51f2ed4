import { describe, expect, it } from 'vitest'
import {
  count,
  formatBytes,
  formatFactor,
  formatMetric,
  formatNumber,
  formatRate,
  formatRows,
  formatSeconds,
  formatShare,
  joinWords,
  metricTitle,
} from './format-quantity.ts'

const plain = (text: string) => text.replaceAll('\u00a0', ' ')

describe('quantities as people read them', () => {
  it('gives durations three digits and a fitting unit', () => {
    const texts = [0, 4.2e-8, 9.65e-4, 0.00166, 0.738, 1, 26.04, 119.6, 245, 7384].map((seconds) => plain(formatSeconds(seconds)))
    expect(texts).toEqual(['0 s', '42.0 ns', '965 µs', '1.66 ms', '738 ms', '1.00 s', '26.0 s', '120 s', '4 min 5 s', '2 h 3 min'])
  })

  it('gives sizes in binary units, as the command line does', () => {
    expect([0, 512, 1023.7, 10_240, 1_234_567, 8.2e9].map((bytes) => plain(formatBytes(bytes)))).toEqual([
      '0 B',
      '512 B',
      '1.00 KiB',
      '10.0 KiB',
      '1.18 MiB',
      '7.64 GiB',
    ])
  })

  it('rounds rates, factors and shares sensibly', () => {
    expect(plain(formatRate(12_345.6))).toBe('12,300 samples/s')
    expect(plain(formatRate(2.2e7))).toBe('22.0 M samples/s')
    expect([1.844, 12.34, 456].map((factor) => plain(formatFactor(factor)))).toEqual(['1.84 ×', '12.3 ×', '460 ×'])
    expect([0, 0.0996, 0.183, -0.012].map((share) => plain(formatShare(share)))).toEqual(['0 %', '10 %', '18 %', '−1.2 %'])
  })

  it('reads accuracies as per cent and errors by their power of ten', () => {
    expect(plain(formatMetric('accuracy', 0.98712))).toBe('98.71 %')
    expect(plain(formatMetric('relativeError', 3.1e-7))).toBe('3.10 × 10⁻⁷')
    expect(plain(formatMetric('inertia', 2.3501e9))).toBe('2.350 × 10⁹')
    expect(formatMetric('rmse', 1.0702)).toBe('1.07')
    expect(metricTitle('relativeError')).toBe('relative error')
  })

  it('says so where nothing was measured', () => {
    expect([
      formatSeconds(undefined),
      formatBytes(Number.NaN),
      formatFactor(undefined),
      formatMetric('accuracy', undefined),
      formatNumber(Number.POSITIVE_INFINITY),
    ]).toEqual(['–', '–', '–', '–', '–'])
  })

  it('joins and counts', () => {
    expect([joinWords([]), joinWords(['a']), joinWords(['a', 'b'], 'or'), joinWords(['a', 'b', 'c'])]).toEqual([
      '',
      'a',
      'a or b',
      'a, b and c',
    ])
    expect([plain(count(1, 'run')), plain(count(1200, 'run'))]).toEqual(['1 run', '1,200 runs'])
    expect([527, 6000, 60_000, 1e6].map((rows) => plain(formatRows(rows)))).toEqual(['527', '6 k', '60 k', '1 M'])
  })
})
