import { describe, expect, it } from 'vitest'
import { parseHosts, parseSchedule } from './parse-experiment.ts'

describe('hosts', () => {
  it('are what the fabric takes', () => {
    expect(parseHosts('a, b:8,c:*')).toEqual(['a', 'b:8', 'c:*'])
  })

  it.each(['a:0', 'a:b', 'a:8:9', ''])('refuses %j', (text) => {
    expect(() => parseHosts(text)).toThrow(/expected/)
  })
})

describe('schedules', () => {
  it.each([
    ['polynomial', { kind: 'polynomial', power: 1 }],
    ['polynomial:0.5', { kind: 'polynomial', power: 0.5 }],
    ['inverse-sqrt:400', { kind: 'inverse-sqrt', steps: 400 }],
    ['step:10', { kind: 'step', every: 10, factor: 0.1 }],
  ])('reads %s', (text, spec) => {
    expect(parseSchedule(text)).toEqual(spec)
  })

  it('refuses others, saying what there is', () => {
    expect(() => parseSchedule('inverse-sqrt')).toThrow("polynomial[:POWER] or inverse-sqrt:STEPS, got 'inverse-sqrt'")
  })
})
