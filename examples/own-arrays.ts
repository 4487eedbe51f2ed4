/**
 * Your own data: rows in typed arrays, and later rows that a stream brings. A share of the rows is held out; training stops when it scores no
 * better on them. Run it with `npx tsx examples/own-arrays.ts`.
 */
import { data, loadModel, nn, optim, type RunEvent, schedule, train } from 'tutti'

const samples = 32
const kinds = ['sine', 'square', 'saw'] as const

/** A period and a half of a wave with unknown phase, under noise: a stand-in for what you have measured. */
function measure(row: number): { wave: Float32Array; kind: number } {
  const kind = row % 3
  const phase = (row * 0.754877) % 1
  const wave = Float32Array.from({ length: samples }, (_, i) => {
    const t = ((1.5 * i) / samples + phase) % 1
    const noise = ((Math.sin(row * 127.1 + i * 311.7) * 43758.5453) % 1) * 1.2
    return noise + [Math.sin(2 * Math.PI * t), Math.sign(0.5 - t), 2 * t - 1][kind]!
  })
  return { wave, kind }
}

// Rows that are in memory: the arrays are used in place, without a copy.
const rows = 6000
const features = new Float32Array(rows * samples)
const target = new Int32Array(rows)
for (let row = 0; row < rows; row++) {
  const { wave, kind } = measure(row)
  features.set(wave, row * samples)
  target[row] = kind
}
const waves = data.fromArrays({ name: 'waves', features, shape: [rows, samples], target, classes: kinds })

const onEvent = (event: RunEvent) => {
  if (event.type !== 'evaluation') return
  console.log(`epoch ${event.epoch.toFixed(0).padStart(2)}  ${event.split} accuracy ${(100 * event.metric).toFixed(1)} %`)
}
const first = await train(
  {
    model: nn.mlp([samples, 64, kinds.length]),
    data: waves,
    validation: 0.2,
    optimizer: optim.adamW({ learningRate: 0.01 }),
    schedule: schedule.warmup(50, schedule.cosine()),
    gradClipNorm: 1,
    workers: 2,
    globalBatchSize: 64,
    until: { epochs: 40 },
    earlyStopping: { patience: 4 },
    keepBest: true,
    out: 'runs/own-arrays',
  },
  { onEvent },
)
console.log(
  `stopped after ${first.summary.epochs.toFixed(0)} of 40 epochs; the best score was in epoch ${first.metrics.find(({ step }) => step === first.best?.step)?.epoch}`,
)

// Rows that come one by one, from a socket, a database or a large file: any async iterable. Training goes on from the best model.
async function* stream() {
  for (let row = rows; row < rows + 3000; row++) {
    const { wave, kind } = measure(row)
    yield { features: wave, target: kinds[kind]! }
  }
}
const more = await data.fromAsyncIterable(stream(), { name: 'more waves', classes: kinds })
const model = loadModel(`${first.dir}/best.onnx`)
const second = await train(
  { model, data: more, validation: 0.2, optimizer: optim.sgd({ learningRate: 0.01 }), workers: 2, until: { epochs: 2 } },
  { onEvent },
)

const accuracy = second.summary.finalMetric ?? 0
console.log(`accuracy on new rows ${(100 * accuracy).toFixed(1)} % (target 93 %)`)
if (accuracy < 0.93) process.exitCode = 1
