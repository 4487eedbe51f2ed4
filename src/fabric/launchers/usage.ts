import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { RankUsage } from './messages.ts'

/**
 * What the calling thread has cost: its own CPU seconds where the system tells (Linux), those of its process otherwise, and the peak
 * resident bytes of its process.
 * @param whole - Count the CPU of the whole process (a rank that has its process to itself).
 */
export function usageNow(whole: boolean): RankUsage {
  const usage = process.resourceUsage()
  const processSeconds = (usage.userCPUTime + usage.systemCPUTime) / 1e6
  return {
    host: hostname(),
    pid: process.pid,
    cpuSeconds: (whole ? undefined : threadSeconds()) ?? processSeconds,
    peakRssBytes: peakBytes() ?? usage.maxRSS * 1024,
  }
}

function threadSeconds(): number | undefined {
  try {
    // First field: nanoseconds on a CPU of the thread that reads.
    const nanoseconds = Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0])
    return Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : undefined
  } catch {
    return undefined
  }
}

/** Since the program was loaded: `maxRSS` of a child process starts at what its parent had when it was forked. */
function peakBytes(): number | undefined {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  } catch {
    return undefined
  }
}
