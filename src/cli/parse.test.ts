import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../errors.ts'
import {
  camelCase,
  kebabCase,
  parseBoolean,
  parseBytes,
  parseInteger,
  parseList,
  parseListOf,
  parseNumber,
  parseOneOf,
  parseSetting,
  parseSize,
  parseUntil,
} from './parse.ts'

describe('values of the command line', () => {
  it('reads numbers within their limits', () => {
    expect(parseInteger('8', { min: 1 })).toBe(8)
    expect(parseNumber('1e-3')).toBe(0.001)
    expect(() => parseInteger('0', { min: 1 })).toThrow("expected a whole number of at least 1, got '0'")
    expect(() => parseInteger('2.5')).toThrow(ConfigError)
    expect(() => parseInteger('')).toThrow(ConfigError)
    expect(() => parseNumber('2', { min: 0, max: 1 })).toThrow("expected a number from 0 to 1, got '2'")
    expect(() => parseNumber(' ')).toThrow(ConfigError)
    expect(() => parseNumber('-1', { above: 0 })).toThrow("expected a number of more than 0, got '-1'")
    expect(() => parseNumber('0', { above: 0 })).toThrow(ConfigError)
  })

  it.each([
    ['500', 500],
    ['10k', 10_000],
    ['1.5M', 1_500_000],
    ['2G', 2e9],
  ])('reads the count %s', (text, expected) => {
    expect(parseSize(text)).toBe(expected)
  })

  it.each([
    ['4096', 4096],
    ['512mb', 512e6],
    ['512 MiB', 512 * 2 ** 20],
    ['1.5gib', 1.5 * 2 ** 30],
  ])('reads %s as bytes', (text, expected) => {
    expect(parseBytes(text)).toBe(expected)
  })

  it.each(['', 'k', '-1k', '0', '1kk', '10q'])('refuses the count %j', (text) => {
    expect(() => parseSize(text)).toThrow(ConfigError)
  })

  it('reads lists, pairs and words', () => {
    expect(parseList('a, b,c')).toEqual(['a', 'b', 'c'])
    expect(() => parseList('a,,b')).toThrow(ConfigError)
    expect(parseListOf(parseSize)('1k,10k')).toEqual([1000, 10_000])
    expect(parseUntil('test-accuracy=0.98')).toEqual({ metric: 'testAccuracy', value: 0.98 })
    expect(() => parseUntil('accuracy')).toThrow("expected metric=value, such as accuracy=0.98, got 'accuracy'")
    expect(parseSetting('local-steps=8')).toEqual(['localSteps', 8])
    expect(parseSetting('all-reduce=ring')).toEqual(['allReduce', 'ring'])
    expect(parseSetting('overlap=false')).toEqual(['overlap', false])
    expect(parseBoolean('no')).toBe(false)
    expect(() => parseOneOf(['threads', 'mpi'])('tcp')).toThrow("expected threads | mpi, got 'tcp'")
  })

  it('turns names back and forth without loss', () => {
    const name = fc.stringMatching(/^[a-z]+([A-Z][a-z]*)*$/)
    fc.assert(
      fc.property(name, (camel) => {
        expect(camelCase(kebabCase(camel))).toBe(camel)
      }),
    )
  })
})
