import { data, nn, optim, train, type TrainRun, type TrainSpec } from '../../dist/index.js'

/** 600 waveforms and a small perceptron: a step takes microseconds, and every gradient matters. */
export const waveform = await data.load('waveform-21', { rows: 600, testRows: 200 })
export const perceptron = nn.mlp([21, 16, 3])

/** Every system that spreads a step, with options that make it differ from a serial one where it has several ranks. */
export const spreadSystems = [
  ['bsp', {}],
  ['bsp', { aggregate: 'parameter-server' }],
  ['hvd', { bucketBytes: 1024 }],
  ['ssp', { staleness: 2 }],
  ['asp', {}],
  ['local', { localSteps: 3 }],
  ['avg1', {}],
] as const

/** Trains the small perceptron; plain SGD unless told otherwise. */
export function run(spec: Partial<TrainSpec>): Promise<TrainRun> {
  return train({
    model: perceptron,
    data: waveform,
    optimizer: optim.sgd({ learningRate: 0.1 }),
    globalBatchSize: 48,
    until: { steps: 24 },
    evaluateEvery: 12,
    seed: 3,
    ...spec,
  })
}

/** All parameters in one array, in the order of their names. */
export function flat(result: TrainRun): Float32Array {
  const names = Object.keys(result.model.values).sort()
  return Float32Array.from(names.flatMap((name) => [...(result.model.values[name] as Float32Array)]))
}

/** ‖a − b‖ / ‖b‖. */
export function distance(a: TrainRun, b: TrainRun): number {
  const [x, y] = [flat(a), flat(b)]
  let off = 0
  let norm = 0
  for (const [i, value] of y.entries()) {
    off += ((x[i] as number) - value) ** 2
    norm += value * value
  }
  return Math.sqrt(off / norm)
}

/** Same bits in every parameter. */
export function sameBits(a: TrainRun, b: TrainRun): boolean {
  const [x, y] = [new Int32Array(flat(a).buffer), new Int32Array(flat(b).buffer)]
  return x.length === y.length && x.every((word, i) => word === y[i])
}
