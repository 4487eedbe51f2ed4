/**
 * LeNet-5 on MNIST with two workers. Run it with `npx tsx examples/train-lenet5.ts`.
 *
 * The same script trains on a cluster: change `fabric` to 'mpi' and name the hosts (docs/how-to/cluster.md). Nothing else changes.
 */
import { data, nn, optim, schedule, train } from 'tutti'

const mnist = await data.load('mnist')

const lenet5 = nn.model('lenet-5', { image: [1, 28, 28] }, ({ image }) => {
  // image: [batch, 1, 28, 28]
  let h = nn.conv2d(image, 6, 5, { name: 'c1', padding: 2 })
  h = nn.avgPool(nn.tanh(h), 2)
  h = nn.conv2d(h, 16, 5, { name: 'c3' })
  h = nn.avgPool(nn.tanh(h), 2)
  h = nn.tanh(nn.dense(nn.flatten(h), 120, { name: 'c5' }))
  h = nn.tanh(nn.dense(h, 84, { name: 'f6' }))
  return nn.dense(h, 10, { name: 'out' })
})
console.log(lenet5.summary())

const run = await train(
  {
    model: lenet5,
    data: mnist,
    loss: 'cross-entropy',
    optimizer: optim.sgd({ learningRate: 0.05, momentum: 0.9 }),
    schedule: schedule.cosine(),
    system: 'bsp',
    fabric: 'threads', // 'mpi' with hosts: ['a:8', 'b:8'] spreads it over two machines
    workers: 2,
    globalBatchSize: 128,
    until: { epochs: 2 },
    evaluateEvery: 234,
    seed: 1,
    out: 'runs/train-lenet5', // the record, and model.onnx
  },
  {
    onEvent(event) {
      if (event.type === 'evaluation') console.log(`epoch ${event.epoch.toFixed(1)}  accuracy ${(100 * event.metric).toFixed(2)} %`)
    },
  },
)

const { final, samplesPerSecond, summary } = run
console.log(`${Math.round(samplesPerSecond)} samples/s, ${summary.trainSeconds.toFixed(1)} s of training, ${summary.steps} steps`)
console.log(`the model is ${run.dir}/model.onnx`)

const accuracy = final.testAccuracy ?? 0
const target = 0.97
console.log(`test accuracy ${(100 * accuracy).toFixed(2)} % (target ${100 * target} %)`)
if (accuracy < target) process.exitCode = 1
