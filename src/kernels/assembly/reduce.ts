// Reductions of whole arrays to one number. Sums run in float64 lanes, several chains at once to hide the latency of an addition.

@inline
function promoted(address: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(address))
}

@inline
function lanesSum(s: v128): f64 {
  return f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1)
}

export function sumFloat32(x: usize, n: usize): f64 {
  let s0 = f64x2.splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  const end = x + (n << 2)
  const blocks = x + ((n << 2) & ~31)
  for (; x < blocks; x += 32) {
    s0 = f64x2.add(s0, promoted(x))
    s1 = f64x2.add(s1, promoted(x + 8))
    s2 = f64x2.add(s2, promoted(x + 16))
    s3 = f64x2.add(s3, promoted(x + 24))
  }
  let sum = lanesSum(f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3)))
  for (; x < end; x += 4) sum += load<f32>(x) as f64
  return sum
}

export function sumFloat64(x: usize, n: usize): f64 {
  let s0 = f64x2.splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  const end = x + (n << 3)
  const blocks = x + ((n << 3) & ~63)
  for (; x < blocks; x += 64) {
    s0 = f64x2.add(s0, v128.load(x))
    s1 = f64x2.add(s1, v128.load(x, 16))
    s2 = f64x2.add(s2, v128.load(x, 32))
    s3 = f64x2.add(s3, v128.load(x, 48))
  }
  let sum = lanesSum(f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3)))
  for (; x < end; x += 8) sum += load<f64>(x)
  return sum
}

export function dotFloat32(x: usize, y: usize, n: usize): f64 {
  let s0 = f64x2.splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  const end = x + (n << 2)
  const blocks = x + ((n << 2) & ~31)
  for (; x < blocks; x += 32, y += 32) {
    s0 = f64x2.add(s0, f64x2.mul(promoted(x), promoted(y)))
    s1 = f64x2.add(s1, f64x2.mul(promoted(x + 8), promoted(y + 8)))
    s2 = f64x2.add(s2, f64x2.mul(promoted(x + 16), promoted(y + 16)))
    s3 = f64x2.add(s3, f64x2.mul(promoted(x + 24), promoted(y + 24)))
  }
  let sum = lanesSum(f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3)))
  for (; x < end; x += 4, y += 4) sum += (load<f32>(x) as f64) * (load<f32>(y) as f64)
  return sum
}

export function dotFloat64(x: usize, y: usize, n: usize): f64 {
  let s0 = f64x2.splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  const end = x + (n << 3)
  const blocks = x + ((n << 3) & ~63)
  for (; x < blocks; x += 64, y += 64) {
    s0 = f64x2.add(s0, f64x2.mul(v128.load(x), v128.load(y)))
    s1 = f64x2.add(s1, f64x2.mul(v128.load(x, 16), v128.load(y, 16)))
    s2 = f64x2.add(s2, f64x2.mul(v128.load(x, 32), v128.load(y, 32)))
    s3 = f64x2.add(s3, f64x2.mul(v128.load(x, 48), v128.load(y, 48)))
  }
  let sum = lanesSum(f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3)))
  for (; x < end; x += 8, y += 8) sum += load<f64>(x) * load<f64>(y)
  return sum
}

@inline
function maxOf<T>(x: usize, n: usize): T {
  let largest = (-Infinity) as T
  const bytes = n * sizeof<T>()
  const end = x + bytes
  const blocks = x + (bytes & ~63)
  if (x < blocks) {
    let m0 = v128.splat<T>(largest)
    let m1 = m0
    let m2 = m0
    let m3 = m0
    for (; x < blocks; x += 64) {
      m0 = v128.max<T>(m0, v128.load(x))
      m1 = v128.max<T>(m1, v128.load(x, 16))
      m2 = v128.max<T>(m2, v128.load(x, 32))
      m3 = v128.max<T>(m3, v128.load(x, 48))
    }
    m0 = v128.max<T>(v128.max<T>(m0, m1), v128.max<T>(m2, m3))
    if (sizeof<T>() == 4) {
      largest = max<T>(max<T>(v128.extract_lane<T>(m0, 0), v128.extract_lane<T>(m0, 1)), v128.extract_lane<T>(m0, 2))
      largest = max<T>(largest, v128.extract_lane<T>(m0, 3))
    } else largest = max<T>(v128.extract_lane<T>(m0, 0), v128.extract_lane<T>(m0, 1))
  }
  for (; x < end; x += sizeof<T>()) largest = max<T>(largest, load<T>(x))
  return largest
}

export function maxFloat32(x: usize, n: usize): f32 {
  return maxOf<f32>(x, n)
}
export function maxFloat64(x: usize, n: usize): f64 {
  return maxOf<f64>(x, n)
}
