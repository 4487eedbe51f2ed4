// What one pass of lloyd.ts keeps in its scratch memory, and the table of centres that it scores rows with.

import { recordBytes } from './survey'

@unmanaged
export class Pass {
  centers: usize
  sums: usize
  counts: usize
  labels: usize // 0: not wanted
  k: usize
  d: usize
  vectors: usize // of four centres
  chunk: usize // vectors per run over a row
  table: usize // transposed centres, int16 pairs
  bias: usize // b_c, float32, padded with +∞
  scores: usize
  shuffles: usize // see compaction in lloyd.ts
  values: usize // pairs of a row that are not zero, widened to two int16
  places: usize // and which pairs they are, uint16
  tail: usize // floats: a partial last block of eight, padded with zeros
  survey: usize // what survey.ts found of the rows from number `first` on
  first: usize
  record: usize // bytes of it a row
  partial: usize // bytes: uint16 sums
  partialCounts: usize
  scale: f64
  step: f64 // what one unit of an int16 centre value is worth
  slope: f64 // error bound of a score: slope·|x| + offset
  offset: f64
  before: f64 // 2 m·S − n|m|² of what the caller had summed already
}

// 2⁻²⁴: half a unit in the last place of a float32 between 1 and 2.
export const UNIT: f64 = 1.0 / 16777216.0
// Float rows are scaled to this Euclidean length: one half per cent below int16's limit, for the rounding of the length itself.
export const LENGTH: f64 = 32600
// More vectors in one run would not stay in 16 registers.
const LONGEST_RUN: usize = 7

@inline
function aligned(bytes: usize): usize {
  return (bytes + 63) & ~63
}

// Rows are padded to whole blocks of 16.
@inline
export function padded(d: usize): usize {
  return (d + 15) & ~15
}

// Lays the parts out behind one another; lloydScratchBytes (kernels/scratch.ts) is the sum of the same sizes.
function layOut(p: Pass, scratch: usize, bytes: bool): void {
  const width = padded(p.d)
  p.table = scratch + 256
  p.bias = p.table + aligned((width >> 1) * (p.vectors << 4))
  p.scores = p.bias + aligned(p.vectors << 4)
  p.shuffles = p.scores + aligned(p.vectors << 4)
  p.values = p.shuffles + 4096
  p.places = p.values + aligned((width << 1) + 64)
  p.tail = p.places + aligned(width + 64)
  p.partial = p.tail + 64
  p.partialCounts = p.partial + aligned((p.k * width) << 1)
}

// Σ over the centres of 2 m·S − n|m|².
export function centreTerms(p: Pass): f64 {
  let total: f64 = 0
  let m = p.centers
  let s = p.sums
  for (let c: usize = 0; c < p.k; c++) {
    let cross: f64 = 0
    let norm: f64 = 0
    for (const end = m + (p.d << 2); m < end; m += 4, s += 8) {
      const value = load<f32>(m) as f64
      cross += value * load<f64>(s)
      norm += value * value
    }
    total += 2 * cross - load<f64>(p.counts + (c << 3)) * norm
  }
  return total
}

// For each of the 256 masks of eight pairs: the byte shuffle that moves the pairs whose bit is set to the front.
function byteShuffles(shuffles: usize): void {
  for (let mask = 0; mask < 256; mask++) {
    let into = shuffles + (mask << 4)
    for (let pair = 0; pair < 8; pair++) {
      if (((mask >> pair) & 1) == 0) continue
      store<u16>(into, ((pair << 1) | (((pair << 1) + 1) << 8)) as u16)
      into += 2
    }
    for (const end = shuffles + ((mask + 1) << 4); into < end; into += 2) store<u16>(into, 0xffff)
  }
}

// The same for the 16 masks of four pairs of 32 bits, then the places 0–3 in that order as four uint16.
function floatShuffles(shuffles: usize): void {
  memory.fill(shuffles, 0, 512)
  for (let mask = 0; mask < 16; mask++) {
    let into = shuffles + (mask << 4)
    let place = shuffles + 256 + (mask << 3)
    for (let pair = 0; pair < 4; pair++) {
      if (((mask >> pair) & 1) == 0) continue
      store<u32>(into, (pair * 0x04040404 + 0x03020100) as u32)
      store<u16>(place, pair as u16)
      into += 4
      place += 2
    }
  }
}

// t_c as int16 in units of step, in the order in which runs read it: [run][pair][vector of the run][centre of four][two of the pair].
// Returns the largest |t_c − step·int16|.
function fillTable(p: Pass, mean: usize, range: f64): f64 {
  const inverse = 1 / p.scale
  const step = 1 / range
  const pairs = padded(p.d) >> 1
  p.step = step
  memory.fill(p.table, 0, (pairs * p.vectors) << 4)
  let worst: f64 = 0
  let m = p.centers
  for (let c: usize = 0; c < p.k; c++) {
    const vector = c >> 2
    const first = (vector / p.chunk) * p.chunk
    const stride = min<usize>(p.chunk, p.vectors - first) << 4
    const into = p.table + ((first * pairs) << 4) + ((vector - first) << 4) + ((c & 3) << 2)
    let error: f64 = 0
    for (let j: usize = 0; j < p.d; j++, m += 4) {
      const t = (load<f32>(m) as f64) * inverse - load<f64>(mean + (j << 3))
      const q = nearest(t * range)
      const e = t - q * step
      error += e * e
      store<i16>(into + (j >> 1) * stride + ((j & 1) << 1), q as i16)
    }
    worst = max(worst, sqrt(error))
  }
  return worst
}

export function lloydPrepare(
  scratch: usize, centers: usize, k: usize, d: usize, sums: usize, counts: usize, labels: usize, survey: usize, first: usize, scale: f64,
  bytes: bool,
): void {
  const p = changetype<Pass>(scratch)
  p.centers = centers
  p.sums = sums
  p.counts = counts
  p.labels = labels
  p.survey = survey
  p.first = first
  p.record = recordBytes(d)
  p.k = k
  p.d = d
  p.vectors = (k + 3) >> 2
  const runs = (p.vectors + LONGEST_RUN - 1) / LONGEST_RUN
  p.chunk = (p.vectors + runs - 1) / runs
  p.scale = scale
  p.before = centreTerms(p)
  layOut(p, scratch, bytes)
  const mean = p.partialCounts + aligned(k << 2)

  const inverse = 1 / scale
  const share = inverse / (k as f64)
  memory.fill(mean, 0, d << 3)
  let m = centers
  for (let c: usize = 0; c < k; c++) {
    let g = mean
    for (const end = mean + (d << 3); g < end; g += 8, m += 4) store<f64>(g, load<f64>(g) + (load<f32>(m) as f64) * share)
  }
  let largest: f64 = 0
  let longest: f64 = 0
  let highest: f64 = 0
  m = centers
  for (let c: usize = 0; c < k; c++) {
    let norm: f64 = 0
    let b: f64 = 0
    let g = mean
    for (const end = mean + (d << 3); g < end; g += 8, m += 4) {
      const t = (load<f32>(m) as f64) * inverse - load<f64>(g)
      largest = max(largest, abs(t))
      norm += t * t
      b += t * (t + 2 * load<f64>(g))
    }
    longest = max(longest, sqrt(norm))
    highest = max(highest, abs(b / 2))
    store<f32>(p.bias + (c << 2), (b / 2) as f32)
  }
  for (let c = k; c < p.vectors << 2; c++) store<f32>(p.bias + (c << 2), Infinity as f32)

  // No sum of products may leave int32: its size is at most the product of the two lengths, rounding included.
  const root = sqrt(d as f64)
  const rowLength = bytes ? 255 * root : LENGTH * 1.005 + root
  const range = longest > 0 ? min(32766 / largest, (2147483000 / rowLength - root) / longest) : 1
  const error = fillTable(p, mean, range)
  p.slope = error + 16 * UNIT * longest
  if (!bytes) p.slope += (0.51 * root / LENGTH) * (longest + error)
  p.offset = 16 * UNIT * highest

  if (bytes) {
    byteShuffles(p.shuffles)
    memory.fill(p.partial, 0, (k * padded(d)) << 1)
    memory.fill(p.partialCounts, 0, k << 2)
  } else {
    floatShuffles(p.shuffles)
    memory.fill(p.tail, 0, 64)
  }
}
