import { readFileSync } from 'node:fs'
import { freemem, platform, totalmem } from 'node:os'
import { join } from 'node:path'
import { MemoryError } from '../errors.ts'

/** Memory of this machine as this process may use it, in bytes. */
export interface MachineMemory {
  /** Installed, or the container's limit where that is less. */
  readonly totalBytes: number
  /** What can be had without swapping: caches that the system gives back count as free. */
  readonly freeBytes: number
}

/** How this process finds files below `/proc` and `/sys`: replaced in tests by a table. */
export type ReadText = (path: string) => string | undefined

/**
 * Free and total memory, honouring the limits of control groups (version 1 and 2, of every ancestor), since a container's process sees the
 * whole machine in `os.freemem()` and is killed long before it reaches that.
 */
export function machineMemory(read: ReadText = readText): MachineMemory {
  let totalBytes = totalmem()
  let freeBytes = systemFreeBytes()
  for (const group of memoryGroups(read)) {
    totalBytes = Math.min(totalBytes, group.limitBytes)
    freeBytes = Math.min(freeBytes, Math.max(0, group.limitBytes - group.usedBytes))
  }
  return { totalBytes, freeBytes }
}

/**
 * Refuses with figures what cannot fit, before anything is allocated.
 *
 * @param needBytes - Of all ranks of this machine together.
 * @param what - What needs it: `3 ranks of lenet-5`.
 * @throws {MemoryError} when less is free.
 */
export function requireMemory(needBytes: number, what: string, memory: MachineMemory = machineMemory()): void {
  if (needBytes <= memory.freeBytes) return
  throw new MemoryError(
    `memory: ${what} does not fit — expected at most ${formatBytes(memory.freeBytes)} (free of ${formatBytes(memory.totalBytes)}), ` +
      `got a need of ${formatBytes(needBytes)} (use fewer ranks, a smaller batch or fewer rows)`,
    {
      what,
      askedBytes: needBytes,
      usedBytes: memory.totalBytes - memory.freeBytes,
      freeBytes: memory.freeBytes,
      totalBytes: memory.totalBytes,
    },
  )
}

/** `1.5 GiB`: three digits, binary units. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2
  return `${value.toFixed(digits)} ${units[unit]}`
}

interface MemoryGroup {
  readonly limitBytes: number
  readonly usedBytes: number
}

function systemFreeBytes(): number {
  // Darwin's figure leaves out what is inactive and can be had at once; half of the memory is the safer guess of the two.
  return platform() === 'darwin' ? Math.max(freemem(), totalmem() / 2) : freemem()
}

function memoryGroups(read: ReadText): MemoryGroup[] {
  const groups: MemoryGroup[] = []
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (path === undefined) continue
    if (controllers === '') groups.push(...ancestors(path).flatMap((folder) => unifiedGroup(read, join('/sys/fs/cgroup', folder))))
    else if (controllers?.split(',').includes('memory')) {
      groups.push(...ancestors(path).flatMap((folder) => legacyGroup(read, join('/sys/fs/cgroup/memory', folder))))
    }
  }
  return groups
}

/** `/a/b` → `/a/b`, `/a`, `/`. Inside a container the process's own path is often not mounted, and only `/` is found. */
function ancestors(path: string): string[] {
  const parts = path.split('/').filter(Boolean)
  return Array.from({ length: parts.length + 1 }, (_, dropped) => `/${parts.slice(0, parts.length - dropped).join('/')}`)
}

function unifiedGroup(read: ReadText, folder: string): MemoryGroup[] {
  return group(read(join(folder, 'memory.max')), read(join(folder, 'memory.current')), read(join(folder, 'memory.stat')), 'inactive_file')
}

function legacyGroup(read: ReadText, folder: string): MemoryGroup[] {
  const limit = read(join(folder, 'memory.limit_in_bytes'))
  return group(limit, read(join(folder, 'memory.usage_in_bytes')), read(join(folder, 'memory.stat')), 'total_inactive_file')
}

function group(limit: string | undefined, usage: string | undefined, stat: string | undefined, cacheKey: string): MemoryGroup[] {
  const limitBytes = Number(limit?.trim())
  const usageBytes = Number(usage?.trim())
  if (!Number.isFinite(limitBytes) || !Number.isFinite(usageBytes)) return []
  const cache = new RegExp(`^${cacheKey} (\\d+)$`, 'm').exec(stat ?? '')
  return [{ limitBytes, usedBytes: Math.max(0, usageBytes - Number(cache?.[1] ?? 0)) }]
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
