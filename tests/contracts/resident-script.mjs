// What a user runs under mpirun: launches on the world that is already there. Arguments: built package, rank module, fault kind or nothing.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [dist, module, fault] = process.argv.slice(2)
const { launch } = await import(pathToFileURL(join(dist, 'fabric/index.js')).href)
const { withResidentWorld } = await import(pathToFileURL(join(dist, 'fabric/mpi/resident.js')).href)
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)

await withResidentWorld(
  async () => {
    const url = new URL(module)
    for (const workers of [3, 2, 3]) {
      const { error, results } = await launch({ fabric: 'mpi', workers, module: url, job: { steps: 5 }, timeoutMs: 5000 })
      say({ error, results })
    }
    const { error } = await launch({ fabric: 'mpi', workers: 3, module: new URL('file:///etc/rank.mjs'), job: {}, timeoutMs: 5000 }).catch(
      (error) => ({ error }),
    )
    say({ refused: error?.message })
  },
  fault === 'nowhere' ? [] : [new URL('.', module)],
)
say({ end: true })
