// A driver that prints the pids of mpirun's ranks and goes on until it is killed. Arguments: built package, rank module, options as JSON.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [dist, module, options] = process.argv.slice(2)
const { launch } = await import(pathToFileURL(join(dist, 'fabric/index.js')).href)
await launch({
  ...JSON.parse(options),
  module: new URL(module),
  onEvent: ({ pid }) => {
    if (pid !== undefined) process.stdout.write(`${pid}\n`)
  },
})
