// Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"), four blocks at once, one per lane.

const M0: u32 = 0xd2511f53
const M1: u32 = 0xcd9e8d57
const W0: u32 = 0x9e3779b9
const W1: u32 = 0xbb67ae85

// Four blocks with third counter words block … block + 3, written as 16 words in counter order.
@inline
function fourBlocks(key0: u32, key1: u32, counter0: u32, counter1: u32, block: u32, counter3: u32, into: usize): void {
  const m0 = i32x4.splat(M0)
  const m1 = i32x4.splat(M1)
  let c0 = i32x4.splat(counter0)
  let c1 = i32x4.splat(counter1)
  let c2 = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3))
  let c3 = i32x4.splat(counter3)
  let k0 = i32x4.splat(key0)
  let k1 = i32x4.splat(key1)
  for (let round = 0; round < 10; round++) {
    const low0 = i64x2.extmul_low_i32x4_u(c0, m0)
    const high0 = i64x2.extmul_high_i32x4_u(c0, m0)
    const low1 = i64x2.extmul_low_i32x4_u(c2, m1)
    const high1 = i64x2.extmul_high_i32x4_u(c2, m1)
    // The low halves are multiplied again rather than shuffled out: shuffles are what the processor's ports run out of.
    const next1 = i32x4.mul(c2, m1)
    const next3 = i32x4.mul(c0, m0)
    c0 = v128.xor(v128.xor(v128.shuffle<i32>(low1, high1, 1, 3, 5, 7), c1), k0)
    c2 = v128.xor(v128.xor(v128.shuffle<i32>(low0, high0, 1, 3, 5, 7), c3), k1)
    c1 = next1
    c3 = next3
    k0 = i32x4.add(k0, i32x4.splat(W0))
    k1 = i32x4.add(k1, i32x4.splat(W1))
  }
  const a = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5)
  const b = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5)
  const c = v128.shuffle<i32>(c0, c1, 2, 6, 3, 7)
  const d = v128.shuffle<i32>(c2, c3, 2, 6, 3, 7)
  v128.store(into, v128.shuffle<i64>(a, b, 0, 2))
  v128.store(into, v128.shuffle<i64>(a, b, 1, 3), 16)
  v128.store(into, v128.shuffle<i64>(c, d, 0, 2), 32)
  v128.store(into, v128.shuffle<i64>(c, d, 1, 3), 48)
}

// Word j of the stream through the blocks of one row, one at a time: ends that are no whole group of four blocks.
function word(key0: u32, key1: u32, counter0: u32, counter1: u32, j: u32, counter3: u32): u32 {
  let c0 = counter0
  let c1 = counter1
  let c2 = j >> 2
  let c3 = counter3
  for (let round = 0; round < 10; round++) {
    const p0 = (M0 as u64) * (c0 as u64)
    const p1 = (M1 as u64) * (c2 as u64)
    c0 = ((p1 >> 32) as u32) ^ c1 ^ key0
    c1 = p1 as u32
    c2 = ((p0 >> 32) as u32) ^ c3 ^ key1
    c3 = p0 as u32
    key0 += W0
    key1 += W1
  }
  const place = j & 3
  return place == 0 ? c0 : place == 1 ? c1 : place == 2 ? c2 : c3
}

export function philox(seed: u32, stream: u32, rowLow: u32, rowHigh: u32, first: u32, into: usize, n: usize): void {
  const end = into + (n << 2)
  let j = first
  for (; into < end && (j & 3) != 0; into += 4, j++) store<u32>(into, word(seed, stream, rowLow, rowHigh, j, 0))
  for (; into + 64 <= end; into += 64, j += 16) fourBlocks(seed, stream, rowLow, rowHigh, j >> 2, 0, into)
  for (; into < end; into += 4, j++) store<u32>(into, word(seed, stream, rowLow, rowHigh, j, 0))
}

// Unsigned words below `threshold` keep; four words become four mask values in place.
@inline
function maskLanes(into: usize, threshold: v128, value: v128): void {
  v128.store(into, v128.and(i32x4.lt_u(v128.load(into), threshold), value))
}

export function dropoutMask(
  seed: u32, stream: u32, step: u32, samples: usize, n: usize, width: u32, threshold: u32, value: f32, into: usize,
): void {
  const limit = i32x4.splat(threshold)
  const kept = f32x4.splat(value)
  for (const last = samples + (n << 2); samples < last; samples += 4) {
    const sample = load<u32>(samples)
    let j: u32 = 0
    for (; j + 16 <= width; j += 16, into += 64) {
      fourBlocks(seed, stream, sample, 0, j >> 2, step, into)
      maskLanes(into, limit, kept)
      maskLanes(into + 16, limit, kept)
      maskLanes(into + 32, limit, kept)
      maskLanes(into + 48, limit, kept)
    }
    for (; j < width; j++, into += 4) store<f32>(into, word(seed, stream, sample, 0, j, step) < threshold ? value : 0)
  }
}
