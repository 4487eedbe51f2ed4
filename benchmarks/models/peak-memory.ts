/**
 * Resident memory of this process at its highest, as Linux counts it.
 * @packageDocumentation
 */
import { readFileSync, writeFileSync } from 'node:fs'

/** High-water mark of resident memory in bytes, or undefined where the system does not tell. */
export function peakBytes(): number | undefined {
  try {
    const line = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))
    return line === null ? undefined : Number(line[1]) * 1024
  } catch {
    return undefined
  }
}

/** Forgets what the process held earlier: the mark becomes what is resident now. Where the system does not let it, the mark stays. */
export function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    // What follows is then measured against the most that the imports needed.
  }
}
