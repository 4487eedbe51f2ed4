/**
 * Compares systems of one's own with those of the package: same rows, seeds and budget, two workers. Run it with
 * `npx tsx examples/compare-my-system.ts`.
 */
import { compare, type Comparison } from 'tutti'
import gradientDescent from './my-statistic.ts'
import growingLocal from './my-system.ts'

const networks = await compare({ systems: ['bsp', 'local', 'avg1', growingLocal], workloads: ['mlp/waveform'], workers: [2], repeat: 2 })
const { bsp, local, 'growing-local': own } = meansOf(networks)
await networks.write('runs/compare-my-system') // report.html, results.json

const regressions = await compare({
  systems: ['lin-ols', gradientDescent],
  workloads: ['ols/linear-small'],
  workers: [2],
  until: { steps: 20 },
})
meansOf(regressions)

const holds = own!.bytes < local!.bytes && own!.score > bsp!.score - 0.015
console.log(`${holds ? 'the claim holds' : 'the claim is missed'}: fewer bytes than local, as accurate as bsp (within 0.015)`)
if (!holds) process.exitCode = 1

/** Prints and returns the means over the seeds; bytes are those that one worker sends in a step, without what scoring sends. */
function meansOf({ rows }: Comparison): Record<string, { runs: number; steps: number; score: number; bytes: number }> {
  const means = Object.fromEntries(
    [...new Set(rows.map(({ system }) => system))].map((system) => {
      const runs = rows.filter((row) => row.system === system)
      const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
      const learning = runs.map(({ phases }) =>
        phases.filter(({ phase }) => phase !== 'evaluate').reduce((sum, { bytes }) => sum + bytes, 0),
      )
      const score = mean(runs.map(({ finalMetric }) => finalMetric ?? 0))
      return [system, { runs: runs.length, steps: runs[0]!.steps, score: Number(score.toFixed(3)), bytes: Math.round(mean(learning)) }]
    }),
  )
  console.table(means)
  return means
}
