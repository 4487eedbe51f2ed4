// A driver that prints the pids of mpirun's ranks and goes on until it is killed. Arguments: built package, rank module.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [dist, module] = process.argv.slice(2)
const { launch } = await import(pathToFileURL(join(dist, 'fabric/index.js')).href)
await launch({
  fabric: 'mpi',
  workers: 3,
  module: new URL(module),
  job: { steps: 1e9, stoppable: true, pauseMs: 1 },
  onEvent: ({ pid }) => {
    if (pid !== undefined) process.stdout.write(`${pid}\n`)
  },
})
