import type { RunRow } from '../summary.ts'

/** Shortest names that tell the configurations of a case apart: `solo`, `bsp · threads × 2`, `ssp · mpi × 4 · staleness 3`. */
export function cellLabels(rows: readonly RunRow[]): string[] {
  const varying = varyingFacts(rows)
  return rows.map((row) => {
    const facts = factsOf(row)
    const extra = varying.flatMap((name) => (facts.has(name) ? [facts.get(name) as string] : []))
    return [...base(row), ...extra].join(' · ')
  })
}

function base(row: RunRow): string[] {
  if (row.paradigm === 'solo') return [row.system]
  const nested = row.processes > 1 && row.threadsPerProcess > 1
  return [row.system, `${row.fabric} × ${nested ? `${row.processes}×${row.threadsPerProcess}` : row.workers}`]
}

/** What may distinguish two rows beyond system, fabric and workers, in the words of the label. */
function factsOf(row: RunRow): Map<string, string> {
  const facts = new Map<string, string>()
  for (const [name, value] of Object.entries(row.systemOptions)) {
    facts.set(`${row.system}.${name}`, `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
  }
  if (row.globalBatchSize !== undefined) facts.set('batch', `batch ${row.globalBatchSize}`)
  if (row.network !== undefined) facts.set('network', row.network)
  if (row.hosts > 1) facts.set('hosts', `${row.hosts} hosts`)
  if (row.faulty) facts.set('faulty', faultWords(row))
  return facts
}

function faultWords(row: RunRow): string {
  return row.loss?.injected ? 'worker lost on purpose' : 'fault injected'
}

/** Names of the facts in which rows with the same base label differ. */
function varyingFacts(rows: readonly RunRow[]): string[] {
  const byBase = new Map<string, Map<string, string>[]>()
  for (const row of rows) {
    const key = base(row).join()
    byBase.set(key, [...(byBase.get(key) ?? []), factsOf(row)])
  }
  const varying = new Set<string>()
  for (const group of byBase.values()) {
    for (const name of new Set(group.flatMap((facts) => [...facts.keys()]))) {
      if (new Set(group.map((facts) => facts.get(name))).size > 1) varying.add(name)
    }
  }
  return [...varying]
}
