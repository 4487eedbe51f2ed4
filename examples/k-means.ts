/**
 * k-means on MNIST: ten clusters of handwritten digits, with one worker and with two. Run it with `npx tsx examples/k-means.ts`.
 *
 * How the work is spread is an option of `fit`, not of the model: both fits give the same clusters.
 */
import { data, KMeans } from 'tutti'

const mnist = await data.load('mnist')
const model = new KMeans({ k: 10, maxIterations: 60, seed: 1 })

await model.fit(mnist, { workers: 1 })
const alone = { inertia: model.inertia_, labels: model.labels_, seconds: model.run_.summary.trainSeconds }
console.log(`1 worker   inertia ${alone.inertia.toFixed(1)}, ${model.nIter_} iterations, ${alone.seconds.toFixed(2)} s`)

await model.fit(mnist, { workers: 2, fabric: 'threads' })
const seconds = model.run_.summary.trainSeconds
console.log(`2 workers  inertia ${model.inertia_.toFixed(1)}, ${model.nIter_} iterations, ${seconds.toFixed(2)} s`)

const moved = model.labels_.reduce((count, label, row) => count + Number(label !== alone.labels[row]), 0)
console.log(`${moved} of ${mnist.rows} rows are in another cluster than with one worker`)

// Digits of one kind should meet in one cluster: name each cluster after its most frequent digit and count who agrees.
const digits = mnist.target!.values
const counts = Array.from({ length: 10 }, () => new Array<number>(10).fill(0))
model.labels_.forEach((cluster, row) => {
  counts[cluster]![digits[row]!]!++
})
const agreeing = counts.reduce((sum, byDigit) => sum + Math.max(...byDigit), 0)
counts.forEach((byDigit, cluster) => {
  const size = byDigit.reduce((sum, count) => sum + count, 0)
  const digit = byDigit.indexOf(Math.max(...byDigit))
  console.log(
    `cluster ${cluster}  ${String(size).padStart(5)} rows, most of them ${digit} (${Math.round((100 * byDigit[digit]!) / size)} %)`,
  )
})

const test = mnist.test!
const predicted = model.predict(test)
console.log(`${predicted.length} new rows assigned; the first ten: ${predicted.subarray(0, 10).join(' ')}`)

const purity = agreeing / mnist.rows
const target = 0.5
console.log(`purity ${(100 * purity).toFixed(1)} % (target ${100 * target} %)`)
const same = Math.abs(model.inertia_ / alone.inertia - 1) < 1e-9
if (purity < target || !same) process.exitCode = 1
