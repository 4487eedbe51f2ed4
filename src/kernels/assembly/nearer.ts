// D² of k-means++: squared distances of rows to one centre, kept where they are less than what is known. Four float32 lanes a row, summed in
// float64; a row's value does not depend on which rows are looked at together.

@inline
function lanes(sum: v128): f64 {
  return f64(f32x4.extract_lane(sum, 0)) + f64(f32x4.extract_lane(sum, 1)) + f64(f32x4.extract_lane(sum, 2)) + f64(f32x4.extract_lane(sum, 3))
}

@inline
function keepLess(at: usize, value: f64): f64 {
  const known = load<f64>(at)
  if (!(value < known)) return known
  store<f64>(at, value)
  return value
}

/** Rows of float32. Returns the sum of what is kept. */
export function nearerFloats(rows: usize, start: u32, end: u32, center: usize, d: u32, distances: usize): f64 {
  let total: f64 = 0
  for (let row = start; row < end; row++) {
    let x = rows + ((<usize>row * d) << 2)
    let c = center
    let sum = f32x4.splat(0)
    let j: u32 = 0
    for (; j + 4 <= d; j += 4, x += 16, c += 16) {
      const e = f32x4.sub(v128.load(x), v128.load(c))
      sum = f32x4.add(sum, f32x4.mul(e, e))
    }
    let value = lanes(sum)
    for (; j < d; j++, x += 4, c += 4) {
      const e = load<f32>(x) - load<f32>(c)
      value += f64(e * e)
    }
    total += keepLess(distances + (<usize>(row - start) << 3), value)
  }
  return total
}

/** Rows of bytes, each worth value·scale. Returns the sum of what is kept. */
export function nearerBytes(rows: usize, scale: f32, start: u32, end: u32, center: usize, d: u32, distances: usize): f64 {
  let total: f64 = 0
  const factor = f32x4.splat(scale)
  for (let row = start; row < end; row++) {
    let x = rows + <usize>row * d
    let c = center
    let sum = f32x4.splat(0)
    let j: u32 = 0
    for (; j + 8 <= d; j += 8, x += 8, c += 32) {
      const words = v128.load_ext<u8>(x)
      const low = f32x4.sub(f32x4.mul(f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(words)), factor), v128.load(c))
      const high = f32x4.sub(f32x4.mul(f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(words)), factor), v128.load(c, 16))
      sum = f32x4.add(sum, f32x4.add(f32x4.mul(low, low), f32x4.mul(high, high)))
    }
    let value = lanes(sum)
    for (; j < d; j++, x++, c += 4) {
      const e = f32(load<u8>(x)) * scale - load<f32>(c)
      value += f64(e * e)
    }
    total += keepLess(distances + (<usize>(row - start) << 3), value)
  }
  return total
}
