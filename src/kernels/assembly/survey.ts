// What does not change about a row from pass to pass, in a record of its own: |x|² in float64, then words of 64 bits that say which blocks of
// the row are not all zeros (blocks of eight floats, or of sixteen bytes).

// Bytes of one row's record; surveyBytes (kernels/scratch.ts) has the same rule.
@inline
export function recordBytes(d: usize): usize {
  return 8 + (((d + 511) >> 9) << 3)
}

@inline
function squareFloats(sum: v128, x: v128): v128 {
  const low = f64x2.promote_low_f32x4(x)
  const high = f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 0, 1))
  return f64x2.add(sum, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)))
}

// Returns Σ|x|² of the rows [start, end).
export function surveyFloats(rows: usize, start: usize, end: usize, d: usize, records: usize): f64 {
  let total: f64 = 0
  let at = rows + ((start * d) << 2)
  for (let i = start; i < end; i++) {
    const record = records
    records += 8
    let sum = f64x2.splat(0)
    let rest: f64 = 0
    let bits: u64 = 0
    let bit: u64 = 1
    for (let left = d; left != 0; ) {
      if (left >= 8) {
        const a = v128.load(at)
        const b = v128.load(at, 16)
        if (v128.any_true(v128.or(a, b))) {
          bits |= bit
          sum = squareFloats(squareFloats(sum, a), b)
        }
        at += 32
        left -= 8
      } else {
        for (; left != 0; left--, at += 4) {
          const x = load<f32>(at) as f64
          if (x != 0) bits |= bit
          rest += x * x
        }
      }
      bit <<= 1
      if (bit == 0 || left == 0) {
        store<u64>(records, bits)
        records += 8
        bits = 0
        bit = 1
      }
    }
    const norm = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1) + rest
    store<f64>(record, norm)
    total += norm
  }
  return total
}

// The same of rows of bytes, whose squares are exact (a lane of them holds rows of up to half a million elements).
export function surveyBytes(rows: usize, start: usize, end: usize, d: usize, records: usize): f64 {
  let total: f64 = 0
  let at = rows + start * d
  for (let i = start; i < end; i++) {
    const record = records
    records += 8
    let sum = i32x4.splat(0)
    let rest: u64 = 0
    let bits: u64 = 0
    let bit: u64 = 1
    for (let left = d; left != 0; ) {
      if (left >= 16) {
        const x = v128.load(at)
        if (v128.any_true(x)) {
          bits |= bit
          const low = i16x8.extend_low_i8x16_u(x)
          const high = i16x8.extend_high_i8x16_u(x)
          sum = i32x4.add(sum, i32x4.add(i32x4.dot_i16x8_s(low, low), i32x4.dot_i16x8_s(high, high)))
        }
        at += 16
        left -= 16
      } else {
        for (; left != 0; left--, at++) {
          const x = load<u8>(at) as u64
          if (x != 0) bits |= bit
          rest += x * x
        }
      }
      bit <<= 1
      if (bit == 0 || left == 0) {
        store<u64>(records, bits)
        records += 8
        bits = 0
        bit = 1
      }
    }
    // Bytes need half as many words as floats; nothing is in the others.
    for (; records < record + recordBytes(d); records += 8) store<u64>(records, 0)
    const wide = i64x2.add(i64x2.extend_low_i32x4_u(sum), i64x2.extend_high_i32x4_u(sum))
    const norm = (i64x2.extract_lane(wide, 0) + i64x2.extract_lane(wide, 1) + rest) as f64
    store<f64>(record, norm)
    total += norm
  }
  return total
}
