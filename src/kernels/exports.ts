/** What kernels.wasm exports: addresses, counts and numbers. `op` is 0 sum, 1 max, 2 min. One line per function of assembly/. */
export interface KernelExports {
  reduceFloat32(op: number, a: number, b: number, into: number, n: number): void
  reduceFloat64(op: number, a: number, b: number, into: number, n: number): void
  reduceInt32(op: number, a: number, b: number, into: number, n: number): void
  reduceBothFloat32(op: number, a: number, b: number, n: number): void
  reduceBothFloat64(op: number, a: number, b: number, n: number): void
  reduceBothInt32(op: number, a: number, b: number, n: number): void
  axpyFloat32(alpha: number, x: number, y: number, n: number): void
  axpyFloat64(alpha: number, x: number, y: number, n: number): void
  scaleFloat32(alpha: number, x: number, n: number): void
  scaleFloat64(alpha: number, x: number, n: number): void
  dotFloat32(x: number, y: number, n: number): number
  dotFloat64(x: number, y: number, n: number): number
  sumFloat32(x: number, n: number): number
  sumFloat64(x: number, n: number): number
  maxFloat32(x: number, n: number): number
  maxFloat64(x: number, n: number): number
  sgd(w: number, g: number, n: number, learningRate: number, decay: number): void
  momentum(w: number, g: number, v: number, n: number, learningRate: number, mu: number, decay: number, nesterov: number): void
  adam(
    w: number,
    g: number,
    m: number,
    v: number,
    n: number,
    beta1: number,
    keep1: number,
    beta2: number,
    keep2: number,
    epsilon: number,
    stepSize: number,
    root: number,
    decay: number,
    shrink: number,
  ): void
  adamDirection(
    w: number,
    g: number,
    m: number,
    v: number,
    n: number,
    beta1: number,
    keep1: number,
    beta2: number,
    keep2: number,
    epsilon: number,
    stepSize: number,
    root: number,
    decay: number,
  ): void
  adagrad(w: number, g: number, a: number, n: number, learningRate: number, epsilon: number, decay: number): void
  rmsprop(
    w: number,
    g: number,
    s: number,
    a: number,
    v: number,
    n: number,
    learningRate: number,
    rho: number,
    keep: number,
    epsilonInside: number,
    epsilonOutside: number,
    mu: number,
    decay: number,
  ): void
  clamp(x: number, n: number, limit: number): void
  addRows(values: number, rows: number, n: number, width: number, into: number, numRows: number): number
  clearRows(rows: number, n: number, width: number, into: number): void
  sgdRows(w: number, g: number, rows: number, n: number, width: number, learningRate: number): void
  adagradRows(w: number, g: number, a: number, rows: number, n: number, width: number, learningRate: number, epsilon: number): void
  flipShift(images: number, n: number, channels: number, height: number, width: number, moves: number, fill: number, scratch: number): void
  gatherBytes(source: number, rows: number, n: number, width: number, into: number, scale: number, shift: number): void
  gatherFloats(source: number, rows: number, n: number, width: number, into: number, scale: number, shift: number): void
  gatherWords(source: number, rows: number, n: number, width: number, into: number): void
  gatherByteWords(source: number, rows: number, n: number, width: number, into: number): void
  lloydPrepare(
    scratch: number,
    centers: number,
    k: number,
    d: number,
    sums: number,
    counts: number,
    labels: number,
    survey: number,
    first: number,
    scale: number,
    bytes: number,
  ): void
  lloydBytes(scratch: number, rows: number, start: number, end: number): void
  lloydFloats(scratch: number, rows: number, start: number, end: number): void
  lloydFinish(scratch: number, squares: number, bytes: number): number
  surveyBytes(rows: number, start: number, end: number, d: number, records: number): number
  surveyFloats(rows: number, start: number, end: number, d: number, records: number): number
  nearerFloats(rows: number, start: number, end: number, center: number, d: number, distances: number): number
  nearerBytes(rows: number, scale: number, start: number, end: number, center: number, d: number, distances: number): number
  gramFloat32(rows: number, targets: number, start: number, end: number, d: number, gram: number, sums: number, scratch: number): void
  gramFloat64(rows: number, targets: number, start: number, end: number, d: number, gram: number, sums: number, scratch: number): void
  philox(seed: number, stream: number, rowLow: number, rowHigh: number, first: number, into: number, n: number): void
  dropoutMask(
    seed: number,
    stream: number,
    step: number,
    samples: number,
    n: number,
    width: number,
    threshold: number,
    value: number,
    into: number,
  ): void
}
