import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BenchContext, BenchRow } from '../../src/compare/bench.ts'
import { hasLibrary } from '../../src/runtime/drivers/onednn/library.ts'
import type { ArenaKind } from '../../src/runtime/ort.ts'
import type { ModelCase } from './cases.ts'
import { title } from './drivers.ts'
import { startTorch } from './peers.ts'

/** Where intermediate values of a cut model may lie, the best first, and how rows name it. */
export const arenas: Readonly<Record<ArenaKind, string>> = { shared: 'shared arena', own: 'own arenas', none: 'no arena' }
/** The same as a list. */
export const arenaKinds = Object.keys(arenas) as readonly ArenaKind[]

/** Peak memory of a case, whole and, where it has boundaries, cut; all against PyTorch's for the whole model, on one thread. */
export async function memoryRows(each: ModelCase, context: BenchContext): Promise<BenchRow[]> {
  const steps = each.isFullSize ? 3 : 6
  context.log(`models: ${each.name}, memory`)
  const started = await startTorch(each.name, context)
  const missing = 'missing' in started
  // It ran one step when it was started.
  const theirs = missing ? null : (await started.round(steps - 1)).peak_bytes
  if (!missing) await started.close()
  const peer = typeof theirs === 'number' ? theirs / 2 ** 20 : null
  const rows: BenchRow[] = []
  for (const driver of hasLibrary() ? (['onednn', 'onnxruntime'] as const) : (['onnxruntime'] as const)) {
    for (const arena of each.boundaries === undefined ? [undefined] : [undefined, ...arenaKinds]) {
      const bytes = await peakOf([each.name, driver, String(steps), ...(arena === undefined ? [] : [arena])], context)
      if (bytes === null) return [unknown(each.name)]
      const ours = bytes / 2 ** 20
      const form = arena === undefined ? '' : ` cut in eight, ${arenas[arena]}`
      rows.push({
        case: `${each.name}${form}, peak memory, ${title(driver)}`,
        unit: 'MiB',
        ours,
        peer,
        peerName: 'PyTorch',
        ratio: peer === null ? null : peer / ours,
        spread: 0,
        ...(missing ? { note: started.missing } : {}),
      })
    }
  }
  return rows
}

async function peakOf(args: readonly string[], { dir, signal }: BenchContext): Promise<number | null> {
  const command = ['--import', 'tsx', join(dir, 'memory-case.ts'), ...args]
  const { stdout } = await promisify(execFile)(process.execPath, command, { signal })
  return (JSON.parse(stdout.trim().split('\n').at(-1) as string) as { bytes: number | null }).bytes
}

function unknown(name: string): BenchRow {
  const note = 'this system does not tell the most memory that a process held (Linux does)'
  return { case: `${name}, peak memory`, unit: 'MiB', ours: 0, peer: null, peerName: 'PyTorch', ratio: null, spread: 0, note }
}
