import { machineInfo } from '../../records/machine-info.ts'
import { machineMemory } from '../../memory/machine.ts'
import { formatBytes } from '../format.ts'
import type { Check } from './check.ts'

/** Processor, memory and Node. */
export function machineChecks(): Check[] {
  const { cpu, cores, simd, platform } = machineInfo()
  const { totalBytes, freeBytes } = machineMemory()
  return [
    { name: 'processor', status: 'ok', detail: `${cpu}, ${cores} core${cores === 1 ? '' : 's'} (${platform})` },
    { name: 'SIMD', status: 'ok', detail: simd.join(', ') || 'unknown' },
    memoryCheck(totalBytes, freeBytes),
    nodeCheck(process.versions.node),
  ]
}

const comfortableBytes = 2 ** 30

function memoryCheck(totalBytes: number, freeBytes: number): Check {
  const detail = `${formatBytes(freeBytes)} free of ${formatBytes(totalBytes)}`
  if (freeBytes >= comfortableBytes) return { name: 'memory', status: 'ok', detail }
  return { name: 'memory', status: 'problem', detail, mend: 'end other programs, or use fewer workers: the examples need about 1 GiB' }
}

/** Node 20.19 is the oldest that we support. */
export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return { name: 'Node', status: 'ok', detail: version }
  return { name: 'Node', status: 'problem', detail: version, mend: 'install Node 20.19 or newer from https://nodejs.org' }
}
