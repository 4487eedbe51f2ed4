/**
 * One training step of a model in TensorFlow.js on its Wasm backend: forward, backward, update; the counterpart of ../models.py.
 *
 *     node models.mjs <case>        threads: OMP_NUM_THREADS
 *
 * Each line `run <iterations>` on standard input answers one line `{"seconds_per_iteration": x, "threads": n, ...}`.
 */
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import * as tf from '@tensorflow/tfjs'
import { getThreadsCount, setThreadsCount, setWasmPaths, version_wasm } from '@tensorflow/tfjs-backend-wasm'
import { cases } from './networks.mjs'

const folder = createRequire(import.meta.url)
  .resolve('@tensorflow/tfjs-backend-wasm/package.json')
  .replace('package.json', 'wasm-out/')
setWasmPaths(folder)
setThreadsCount(Number(process.env.OMP_NUM_THREADS ?? 1))
await tf.setBackend('wasm')

const { loss, optimizer } = cases[process.argv[2]]()

for await (const line of createInterface({ input: process.stdin })) {
  const iterations = Number(line.split(' ')[1])
  const start = performance.now()
  let value
  for (let i = 0; i < iterations; i++) {
    value?.dispose()
    value = optimizer.minimize(loss, true)
  }
  const [last] = value.dataSync()
  value.dispose()
  const seconds = (performance.now() - start) / 1000 / iterations
  const versions = { tfjs: version_wasm }
  console.log(
    JSON.stringify({ seconds_per_iteration: seconds, loss: last, threads: getThreadsCount(), tensors: tf.memory().numTensors, versions }),
  )
}
