import { readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, platform, release } from 'node:os'
import { machineMemory } from '../memory/machine.ts'
import type { MachineInfo } from '../records/record.ts'

/** Instruction sets that decide how fast the native parts run, widest first, as /proc/cpuinfo calls them → as people do. */
const instructionSets: readonly (readonly [flag: string, name: string])[] = [
  ['amx_tile', 'AMX'],
  ['avx512_vnni', 'AVX-512 VNNI'],
  ['avx512f', 'AVX-512'],
  ['avx2', 'AVX2'],
  ['fma', 'FMA'],
  ['avx', 'AVX'],
  ['sse4_2', 'SSE4.2'],
  ['sve', 'SVE'],
  ['asimddp', 'NEON dot product'],
  ['asimd', 'NEON'],
]

/** What a record, a report and `tutti doctor` say about the machine. `versions` are the caller's to complete. */
export function machineInfo(versions: Readonly<Record<string, string>> = {}): MachineInfo {
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown processor',
    cores: availableParallelism(),
    simd: simdSets(),
    memoryBytes: machineMemory().totalBytes,
    platform: `${platform()} ${release()} ${arch()}`,
    versions: { node: process.versions.node, ...versions },
  }
}

/**
 * SIMD instruction sets of the processor, widest first. Read from `cpuinfo` on Linux; elsewhere what every processor of the architecture
 * has.
 * @param cpuinfo - text of /proc/cpuinfo, undefined where there is none
 */
export function simdSets(cpuinfo: string | undefined = readCpuinfo(), architecture: string = arch()): string[] {
  const line = cpuinfo?.split('\n').find((text) => /^(flags|Features)\s*:/.test(text))
  if (line !== undefined) {
    const flags = new Set(line.slice(line.indexOf(':') + 1).split(/\s+/))
    return instructionSets.filter(([flag]) => flags.has(flag)).map(([, name]) => name)
  }
  return architecture === 'arm64' ? ['NEON'] : architecture === 'x64' ? ['SSE2'] : []
}

function readCpuinfo(): string | undefined {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8')
  } catch {
    return undefined
  }
}
