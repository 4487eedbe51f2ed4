// Ranks on threads of which one never comes back from a loop; ends as the command line does. Arguments: built package, rank module.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [dist, module] = process.argv.slice(2)
const load = (file) => import(pathToFileURL(join(dist, 'fabric', file)).href)
const { launch } = await load('index.js')
const { exitNow } = await load('launchers/native-exit.js')
const { error } = await launch({ fabric: 'threads', workers: 2, module: new URL(module), job: { steps: 10, endless: 1 }, timeoutMs: 1000 })
process.stdout.write(JSON.stringify(error), () => exitNow(1))
