// The driver of a run over two hosts: it lives on the first of them. Arguments: built package, options as JSON (module as text).
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [dist, text] = process.argv.slice(2)
const { launch } = await import(pathToFileURL(join(dist, 'fabric/index.js')).href)
const options = JSON.parse(text)
const { error, results, rankErrors, traffic } = await launch({ ...options, module: new URL(options.module) })
process.stdout.write(JSON.stringify({ error, results, rankErrors, traffic }))
