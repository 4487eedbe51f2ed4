import { expect, test } from 'vitest'
import type { MemoryError } from '../errors.ts'
import { formatBytes, machineMemory, requireMemory } from './machine.ts'

const gib = 2 ** 30

function files(table: Record<string, string>) {
  return (path: string) => table[path]
}

test('without control groups the figures are those of the system', () => {
  const memory = machineMemory(files({}))
  expect(memory.totalBytes).toBeGreaterThan(memory.freeBytes)
  expect(memory.freeBytes).toBeGreaterThan(0)
})

test('the tightest limit among the ancestors holds, and file caches count as free', () => {
  const memory = machineMemory(
    files({
      '/proc/self/cgroup': '0::/user/job\n',
      '/sys/fs/cgroup/user/job/memory.max': 'max\n',
      '/sys/fs/cgroup/user/job/memory.current': '1000\n',
      '/sys/fs/cgroup/user/memory.max': `${gib / 16}\n`,
      '/sys/fs/cgroup/user/memory.current': `${gib / 32}\n`,
      '/sys/fs/cgroup/user/memory.stat': `anon 5\ninactive_file ${gib / 64}\n`,
    }),
  )
  expect(memory).toEqual({ totalBytes: gib / 16, freeBytes: gib / 16 - gib / 64 })
})

test('version 1 groups are honoured, also when the container hides the own path', () => {
  const memory = machineMemory(
    files({
      '/proc/self/cgroup': '12:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${gib / 16}\n`,
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${gib / 8}\n`,
      '/sys/fs/cgroup/memory/memory.stat': 'total_inactive_file 4096\n',
    }),
  )
  expect(memory).toEqual({ totalBytes: gib / 16, freeBytes: 0 })
})

test('what cannot fit is refused in one line with figures', () => {
  const memory = { totalBytes: 8 * gib, freeBytes: 2 * gib }
  requireMemory(2 * gib, 'a run that just fits', memory)
  const attempt = () => requireMemory(3 * gib, '4 ranks of vgg-a', memory)
  expect(attempt).toThrow(/4 ranks of vgg-a does not fit — expected at most 2\.00 GiB \(free of 8\.00 GiB\), got a need of 3\.00 GiB/)
  try {
    attempt()
  } catch (error) {
    expect((error as MemoryError).details).toMatchObject({ askedBytes: 3 * gib, freeBytes: 2 * gib, usedBytes: 6 * gib })
  }
})

test('sizes read as people write them', () => {
  expect([0, 1023, 1024, 15 * 1024, 2.5 * gib, 900 * gib].map(formatBytes)).toEqual([
    '0 B',
    '1023 B',
    '1.00 KiB',
    '15.0 KiB',
    '2.50 GiB',
    '900 GiB',
  ])
})
