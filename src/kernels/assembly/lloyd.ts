// One pass of Lloyd's step: nearest centre, sums, counts and the sum of least squared distances.
//
// Filter, then decide. Row x, centres m_c, their mean g, t_c = m_c − g. The least of |x − m_c|² is the least score
//     s_c = b_c − x·t_c,   b_c = (|m_c|² − |g|²) / 2 = t_c·(t_c + 2g) / 2.
// x·t_c is computed with int16 values (eight products an instruction), and |its error| ≤ |x|·|e_t| + |e_x|·(|t_c| + |e_t|) by Cauchy and
// Schwarz, where e_t and e_x are the rounding errors of t_c and x (e_x = 0 for bytes). Where two scores are closer than the bound allows,
// the candidates' distances are computed again in float64: labels are those of float64 arithmetic.
//
// Zero elements of a row add nothing, so the pairs of elements that are not both zero are first compacted into a list (images, counts and
// one-hot columns are mostly zeros); which blocks of a row have any, the survey says. The table of centres is transposed: for each pair, the
// values of four centres in one vector, so that a product updates four scores at once and nothing is summed across lanes.
//
// Σ least |x − m|² = Σ|x|² − 2 Σ_c m_c·S_c + Σ_c n_c |m_c|² from the sums S_c and counts n_c, in float64.

import { centreTerms, LENGTH, padded, Pass, UNIT } from './lloyd-pass'

export { lloydPrepare } from './lloyd-pass'

const HUGE: f32 = 3.4028234663852886e38
// 257 · 255 = 65535: so many rows of bytes fit into uint16 sums.
const FULL: u32 = 257

@inline
function step(sum: v128, x: v128, t: usize): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(x, v128.load(t)))
}

@inline
function score(sum: v128, bias: usize, scores: usize, unit: v128, least: v128): v128 {
  const value = f32x4.sub(v128.load(bias), f32x4.mul(unit, f32x4.convert_i32x4_s(sum)))
  v128.store(scores, value)
  return f32x4.pmin(least, value)
}

// Scores of n vectors of centres from the row's list; n is a constant wherever this is inlined. Returns the lanes' least.
@inline
function run(n: usize, p: Pass, count: usize, first: usize, unit: v128, least: v128): v128 {
  const table = p.table + ((first * padded(p.d)) << 3)
  let s0 = i32x4.splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  let s4 = s0
  let s5 = s0
  let s6 = s0
  let value = p.values
  let place = p.places
  for (const end = value + (count << 2); value < end; value += 4, place += 2) {
    const x = v128.load32_splat(value)
    const t = table + (load<u16>(place) as usize) * (n << 4)
    s0 = step(s0, x, t)
    if (n > 1) s1 = step(s1, x, t + 16)
    if (n > 2) s2 = step(s2, x, t + 32)
    if (n > 3) s3 = step(s3, x, t + 48)
    if (n > 4) s4 = step(s4, x, t + 64)
    if (n > 5) s5 = step(s5, x, t + 80)
    if (n > 6) s6 = step(s6, x, t + 96)
  }
  const bias = p.bias + (first << 4)
  const scores = p.scores + (first << 4)
  least = score(s0, bias, scores, unit, least)
  if (n > 1) least = score(s1, bias + 16, scores + 16, unit, least)
  if (n > 2) least = score(s2, bias + 32, scores + 32, unit, least)
  if (n > 3) least = score(s3, bias + 48, scores + 48, unit, least)
  if (n > 4) least = score(s4, bias + 64, scores + 64, unit, least)
  if (n > 5) least = score(s5, bias + 80, scores + 80, unit, least)
  if (n > 6) least = score(s6, bias + 96, scores + 96, unit, least)
  return least
}

function scoreAll(p: Pass, count: usize, unit: f32): f32 {
  const units = f32x4.splat(unit)
  let least = f32x4.splat(HUGE)
  for (let v: usize = 0; v < p.vectors; v += p.chunk) {
    switch (min<usize>(p.chunk, p.vectors - v) as i32) {
      case 1: { least = run(1, p, count, v, units, least); break }
      case 2: { least = run(2, p, count, v, units, least); break }
      case 3: { least = run(3, p, count, v, units, least); break }
      case 4: { least = run(4, p, count, v, units, least); break }
      case 5: { least = run(5, p, count, v, units, least); break }
      case 6: { least = run(6, p, count, v, units, least); break }
      default: { least = run(7, p, count, v, units, least); break }
    }
  }
  least = f32x4.pmin(least, v128.shuffle<i32>(least, least, 2, 3, 0, 1))
  return f32x4.extract_lane(f32x4.pmin(least, v128.shuffle<i32>(least, least, 1, 0, 3, 2)), 0)
}

// The only centre whose score is not above the threshold, or −1 when there are several (or none: a row or centre is not finite).
@inline
function onlyCandidate(p: Pass, threshold: f32): i32 {
  const limit = f32x4.splat(threshold)
  let found: i32 = -1
  let count: i32 = 0
  for (let v: usize = 0; v < p.vectors; v++) {
    const bits = i32x4.bitmask(f32x4.le(v128.load(p.scores + (v << 4)), limit))
    if (bits != 0) {
      count += popcnt(bits)
      found = ((v << 2) as i32) + ctz(bits)
    }
  }
  return count == 1 && found < (p.k as i32) ? found : -1
}

@inline
function difference(p: Pass, row: usize, bytes: bool, m: usize, j: usize): f64 {
  const x = bytes ? (load<u8>(row + j) as f64) * p.scale : (load<f32>(row + (j << 2)) as f64)
  return x - (load<f32>(m + (j << 2)) as f64)
}

function squaredDistance(p: Pass, row: usize, bytes: bool, c: usize): f64 {
  const m = p.centers + ((c * p.d) << 2)
  let s0: f64 = 0
  let s1: f64 = 0
  let j: usize = 0
  for (; j + 2 <= p.d; j += 2) {
    const a = difference(p, row, bytes, m, j)
    const b = difference(p, row, bytes, m, j + 1)
    s0 += a * a
    s1 += b * b
  }
  if (j < p.d) {
    const a = difference(p, row, bytes, m, j)
    s0 += a * a
  }
  return s0 + s1
}

// Decides among the candidates (all centres when no score is a candidate) in float64.
function decide(p: Pass, row: usize, bytes: bool, threshold: f32): usize {
  let none = true
  for (let c: usize = 0; c < p.k; c++) none = none && !(load<f32>(p.scores + (c << 2)) <= threshold)
  let chosen: usize = 0
  let least: f64 = Infinity
  for (let c: usize = 0; c < p.k; c++) {
    if (!none && !(load<f32>(p.scores + (c << 2)) <= threshold)) continue
    const distance = squaredDistance(p, row, bytes, c)
    if (distance < least) {
      least = distance
      chosen = c
    }
  }
  return chosen
}

@inline
function choose(p: Pass, row: usize, bytes: bool, least: f32, length: f64): usize {
  const threshold = ((least as f64) + 2 * (p.slope * length + p.offset)) as f32
  const only = onlyCandidate(p, threshold)
  return only >= 0 ? (only as usize) : decide(p, row, bytes, threshold)
}

// Appends the pairs of 16 bytes that are not zero to the list; returns how many.
@inline
function compactBytes(p: Pass, x: v128, places: v128, count: usize): usize {
  const mask = (i16x8.bitmask(i16x8.eq(x, i16x8.splat(0))) ^ 0xff) as usize
  const shuffle = v128.load(p.shuffles + (mask << 4))
  const pairs = i8x16.swizzle(x, shuffle)
  const into = p.values + (count << 2)
  v128.store(into, i16x8.extend_low_i8x16_u(pairs))
  v128.store(into, i16x8.extend_high_i8x16_u(pairs), 16)
  v128.store(p.places + (count << 1), i8x16.swizzle(places, shuffle))
  return popcnt(mask)
}

@inline
function tailOfBytes(row: usize, left: usize): v128 {
  let low: u64 = 0
  let high: u64 = 0
  for (let j: usize = 0; j < left; j++) {
    if (j < 8) low |= (load<u8>(row + j) as u64) << ((j << 3) as u64)
    else high |= (load<u8>(row + j) as u64) << (((j - 8) << 3) as u64)
  }
  return i64x2.replace_lane(i64x2.splat(low), 1, high)
}

function flush(p: Pass, c: usize): void {
  let from = p.partial + ((c * padded(p.d)) << 1)
  let into = p.sums + ((c * p.d) << 3)
  for (const last = into + (p.d << 3); into < last; into += 8, from += 2) {
    store<f64>(into, load<f64>(into) + p.scale * (load<u16>(from) as f64))
    store<u16>(from, 0)
  }
  const held = p.partialCounts + (c << 2)
  store<f64>(p.counts + (c << 3), load<f64>(p.counts + (c << 3)) + (load<u32>(held) as f64))
  store<u32>(held, 0)
}

@inline
function addBytes(p: Pass, row: usize, record: usize, c: usize): void {
  const partial = p.partial + ((c * padded(p.d)) << 1)
  const whole = p.d >> 4
  for (let word = record + 8, first: usize = 0; word < record + p.record; word += 8, first += 64) {
    for (let bits = load<u64>(word); bits != 0; bits &= bits - 1) {
      const block = first + (ctz(bits) as usize)
      const into = partial + (block << 5)
      const x = block < whole ? v128.load(row + (block << 4)) : tailOfBytes(row + (block << 4), p.d & 15)
      v128.store(into, i16x8.add(v128.load(into), i16x8.extend_low_i8x16_u(x)))
      v128.store(into, i16x8.add(v128.load(into, 16), i16x8.extend_high_i8x16_u(x)), 16)
    }
  }
  const held = p.partialCounts + (c << 2)
  const count = load<u32>(held) + 1
  store<u32>(held, count)
  if (count == FULL) flush(p, c)
}

export function lloydBytes(scratch: usize, rows: usize, start: usize, end: usize): void {
  const p = changetype<Pass>(scratch)
  const unit = p.step as f32
  const whole = p.d >> 4
  let record = p.survey + (start - p.first) * p.record
  for (let i = start; i < end; i++, record += p.record) {
    const row = rows + i * p.d
    let count: usize = 0
    for (let word = record + 8, first: usize = 0; word < record + p.record; word += 8, first += 64) {
      for (let bits = load<u64>(word); bits != 0; bits &= bits - 1) {
        const block = first + (ctz(bits) as usize)
        const x = block < whole ? v128.load(row + (block << 4)) : tailOfBytes(row + (block << 4), p.d & 15)
        const places = i16x8.add(i16x8(0, 1, 2, 3, 4, 5, 6, 7), i16x8.splat((block << 3) as i16))
        count += compactBytes(p, x, places, count)
      }
    }
    const least = scoreAll(p, count, unit)
    const c = choose(p, row, true, least, sqrt(load<f64>(record)))
    if (p.labels != 0) store<i32>(p.labels + (i << 2), c as i32)
    addBytes(p, row, record, c)
  }
}

// Eight elements times factor, rounded to int16; the pairs that are not zero go to the list. Returns how many.
// places: the number of the first pair, in each of four 16-bit lanes.
@inline
function compactFloats(p: Pass, from: usize, factor: v128, places: u64, count: usize): usize {
  // Adding 1.5·2²³ rounds to a whole number, which then stands in the low bits.
  const magic = f32x4.splat(12582912)
  const low = i32x4.sub(f32x4.add(f32x4.mul(v128.load(from), factor), magic), magic)
  const high = i32x4.sub(f32x4.add(f32x4.mul(v128.load(from, 16), factor), magic), magic)
  const x = i16x8.narrow_i32x4_s(low, high)
  const mask = (i32x4.bitmask(i32x4.eq(x, i32x4.splat(0))) ^ 0xf) as usize
  v128.store(p.values + (count << 2), i8x16.swizzle(x, v128.load(p.shuffles + (mask << 4))))
  store<u64>(p.places + (count << 1), load<u64>(p.shuffles + 256 + (mask << 3)) + places)
  return popcnt(mask)
}

@inline
function addFour(sums: usize, from: usize): void {
  v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(v128.load64_zero(from))))
  v128.store(sums, f64x2.add(v128.load(sums, 16), f64x2.promote_low_f32x4(v128.load64_zero(from, 8))), 16)
}

export function lloydFloats(scratch: usize, rows: usize, start: usize, end: usize): void {
  const p = changetype<Pass>(scratch)
  const whole = p.d >> 3
  let record = p.survey + (start - p.first) * p.record
  for (let i = start; i < end; i++, record += p.record) {
    const row = rows + ((i * p.d) << 2)
    for (let j = whole << 3; j < p.d; j++) store<f32>(p.tail + ((j & 7) << 2), load<f32>(row + (j << 2)))
    const norm = load<f64>(record)
    const length = sqrt(norm)
    const factor = (LENGTH / length) as f32
    let c: usize = 0
    // Lengths whose square float32 cannot hold well (among them NaN and ∞) are left to float64.
    if (norm == 0 || (norm > 1e-30 && norm < 1e37)) {
      let count: usize = 0
      const factors = f32x4.splat(factor)
      for (let word = record + 8, first: usize = 0; word < record + p.record; word += 8, first += 64) {
        for (let bits = load<u64>(word); bits != 0; bits &= bits - 1) {
          const block = first + (ctz(bits) as usize)
          const from = block < whole ? row + (block << 5) : p.tail
          count += compactFloats(p, from, factors, ((block << 2) as u64) * 0x0001000100010001, count)
        }
      }
      const least = scoreAll(p, count, norm == 0 ? 0 : ((p.step / (factor as f64)) as f32))
      c = choose(p, row, false, least, length * (1 + UNIT))
    } else {
      memory.fill(p.scores, 0, p.vectors << 4)
      c = decide(p, row, false, 0)
    }
    if (p.labels != 0) store<i32>(p.labels + (i << 2), c as i32)
    store<f64>(p.counts + (c << 3), load<f64>(p.counts + (c << 3)) + 1)

    const sums = p.sums + ((c * p.d) << 3)
    for (let word = record + 8, first: usize = 0; word < record + p.record; word += 8, first += 64) {
      for (let bits = load<u64>(word); bits != 0; bits &= bits - 1) {
        const block = first + (ctz(bits) as usize)
        if (block < whole) {
          addFour(sums + (block << 6), row + (block << 5))
          addFour(sums + (block << 6) + 32, row + (block << 5) + 16)
        } else {
          for (let j = block << 3; j < p.d; j++) {
            store<f64>(sums + (j << 3), load<f64>(sums + (j << 3)) + (load<f32>(row + (j << 2)) as f64))
          }
        }
      }
    }
  }
}

// squares: Σ|x|² of the rows, in units of scale².
export function lloydFinish(scratch: usize, squares: f64, bytes: bool): f64 {
  const p = changetype<Pass>(scratch)
  if (bytes) for (let c: usize = 0; c < p.k; c++) flush(p, c)
  return squares * p.scale * p.scale - (centreTerms(p) - p.before)
}
