import { describe, expect, it } from 'vitest'
import { parseHosts } from './parse-experiment.ts'

describe('hosts', () => {
  it('are what the fabric takes', () => {
    expect(parseHosts('a, b:8,c:*')).toEqual(['a', 'b:8', 'c:*'])
  })

  it.each(['a:0', 'a:b', 'a:8:9', ''])('refuses %j', (text) => {
    expect(() => parseHosts(text)).toThrow(/expected/)
  })
})
