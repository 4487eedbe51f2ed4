/**
 * Compares the system of my-system.ts with three of the package: same model, rows, seeds and budget, two workers. Run it with
 * `npx tsx examples/compare-my-system.ts`.
 */
import { type RunRecord, runWorkload } from 'tutti'
import growingLocal from './my-system.ts'

const seeds = [1, 2]
const rows: { system: string; accuracy: number; bytesPerStep: number }[] = []
for (const system of ['bsp', 'local', 'avg1', growingLocal]) {
  const runs: RunRecord[] = []
  for (const seed of seeds) runs.push(await runWorkload('mlp/waveform', { system, fabric: 'threads', workers: 2, seed }))
  const mean = (figure: (run: RunRecord) => number) => runs.reduce((sum, run) => sum + figure(run), 0) / runs.length
  const row = {
    system: runs[0]!.config.system,
    accuracy: mean((run) => run.summary.finalMetric ?? 0),
    bytesPerStep: mean(learningBytes),
  }
  console.log(`${row.system}: ${seeds.length} runs of ${runs[0]!.summary.steps} steps`)
  rows.push(row)
}
console.table(rows.map((row) => ({ ...row, accuracy: row.accuracy.toFixed(3), bytesPerStep: Math.round(row.bytesPerStep) })))

const find = (id: string) => rows.find((row) => row.system === id)!
const [local, own] = [find('local'), find('growing-local')]
const holds = own.bytesPerStep < local.bytesPerStep && own.accuracy > local.accuracy - 0.01
console.log(`${holds ? 'the claim holds' : 'the claim is missed'}: fewer bytes than local at the same accuracy (within 0.01)`)
if (!holds) process.exitCode = 1

/** Bytes that one worker sends in a step, without what scoring sends. */
function learningBytes({ traffic, config, summary }: RunRecord): number {
  const links = traffic.links.filter(({ phase }) => phase === 'gradients' || phase === 'parameters')
  return links.reduce((sum, link) => sum + link.bytes, 0) / config.workers / summary.steps
}
