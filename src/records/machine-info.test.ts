import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { machineInfo, simdSets } from './machine-info.ts'

describe('machineInfo', () => {
  it('reads the instruction sets of x64 and Arm from cpuinfo, widest first', () => {
    expect(simdSets('processor : 0\nflags\t\t: fpu sse4_2 avx avx2 fma avx512f avx512bw\n')).toEqual([
      'AVX-512',
      'AVX2',
      'FMA',
      'AVX',
      'SSE4.2',
    ])
    expect(simdSets('Features\t: fp asimd sve\n')).toEqual(['SVE', 'NEON'])
  })

  it('falls back on what the architecture guarantees', () => {
    expect(simdSets('', 'arm64')).toEqual(['NEON'])
    expect(simdSets(undefined, 'riscv64').length).toBeGreaterThanOrEqual(0)
  })

  it('describes this machine and keeps the versions that it is given', () => {
    const info = machineInfo({ 'onnxruntime-node': '1.30.0' })
    expect(info.cores).toBe(availableParallelism())
    expect(info.memoryBytes).toBeGreaterThan(2 ** 20)
    expect(info.versions).toEqual({ node: process.versions.node, 'onnxruntime-node': '1.30.0' })
  })
})
