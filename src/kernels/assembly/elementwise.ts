// Element by element over one, two or three arrays of n elements. Addresses are bytes; `op` is 0 sum, 1 max, 2 min.

const SUM = 0
const MAX = 1

// `op` is a constant wherever this is inlined, so that one branch of it is left.
@inline
function combineLanes<T>(op: i32, a: v128, b: v128): v128 {
  if (op == SUM) return v128.add<T>(a, b)
  if (sizeof<T>() == 4 && isInteger<T>()) return op == MAX ? i32x4.max_s(a, b) : i32x4.min_s(a, b)
  return op == MAX ? v128.max<T>(a, b) : v128.min<T>(a, b)
}

@inline
function combine<T>(op: i32, a: T, b: T): T {
  if (op == SUM) return (a + b) as T
  return op == MAX ? max<T>(a, b) : min<T>(a, b)
}

@inline
function reduceInto<T>(op: i32, a: usize, b: usize, into: usize, n: usize): void {
  const bytes = n * sizeof<T>()
  const end = a + bytes
  const blocks = a + (bytes & ~63)
  for (; a < blocks; a += 64, b += 64, into += 64) {
    const r0 = combineLanes<T>(op, v128.load(a), v128.load(b))
    const r1 = combineLanes<T>(op, v128.load(a, 16), v128.load(b, 16))
    const r2 = combineLanes<T>(op, v128.load(a, 32), v128.load(b, 32))
    const r3 = combineLanes<T>(op, v128.load(a, 48), v128.load(b, 48))
    v128.store(into, r0)
    v128.store(into, r1, 16)
    v128.store(into, r2, 32)
    v128.store(into, r3, 48)
  }
  for (; a < end; a += sizeof<T>(), b += sizeof<T>(), into += sizeof<T>()) store<T>(into, combine<T>(op, load<T>(a), load<T>(b)))
}

@inline
function reduceTwo<T>(op: i32, a: usize, b: usize, n: usize): void {
  const bytes = n * sizeof<T>()
  const end = a + bytes
  const blocks = a + (bytes & ~63)
  for (; a < blocks; a += 64, b += 64) {
    const r0 = combineLanes<T>(op, v128.load(a), v128.load(b))
    const r1 = combineLanes<T>(op, v128.load(a, 16), v128.load(b, 16))
    const r2 = combineLanes<T>(op, v128.load(a, 32), v128.load(b, 32))
    const r3 = combineLanes<T>(op, v128.load(a, 48), v128.load(b, 48))
    v128.store(a, r0)
    v128.store(a, r1, 16)
    v128.store(a, r2, 32)
    v128.store(a, r3, 48)
    v128.store(b, r0)
    v128.store(b, r1, 16)
    v128.store(b, r2, 32)
    v128.store(b, r3, 48)
  }
  for (; a < end; a += sizeof<T>(), b += sizeof<T>()) {
    const r = combine<T>(op, load<T>(a), load<T>(b))
    store<T>(a, r)
    store<T>(b, r)
  }
}

@inline
function reduceOf<T>(op: i32, a: usize, b: usize, into: usize, n: usize): void {
  if (op == SUM) reduceInto<T>(SUM, a, b, into, n)
  else if (op == MAX) reduceInto<T>(MAX, a, b, into, n)
  else reduceInto<T>(2, a, b, into, n)
}

@inline
function reduceBothOf<T>(op: i32, a: usize, b: usize, n: usize): void {
  if (op == SUM) reduceTwo<T>(SUM, a, b, n)
  else if (op == MAX) reduceTwo<T>(MAX, a, b, n)
  else reduceTwo<T>(2, a, b, n)
}

export function reduceFloat32(op: i32, a: usize, b: usize, into: usize, n: usize): void {
  reduceOf<f32>(op, a, b, into, n)
}
export function reduceFloat64(op: i32, a: usize, b: usize, into: usize, n: usize): void {
  reduceOf<f64>(op, a, b, into, n)
}
export function reduceInt32(op: i32, a: usize, b: usize, into: usize, n: usize): void {
  reduceOf<i32>(op, a, b, into, n)
}
export function reduceBothFloat32(op: i32, a: usize, b: usize, n: usize): void {
  reduceBothOf<f32>(op, a, b, n)
}
export function reduceBothFloat64(op: i32, a: usize, b: usize, n: usize): void {
  reduceBothOf<f64>(op, a, b, n)
}
export function reduceBothInt32(op: i32, a: usize, b: usize, n: usize): void {
  reduceBothOf<i32>(op, a, b, n)
}

@inline
function axpyOf<T>(alpha: T, x: usize, y: usize, n: usize): void {
  const factor = v128.splat<T>(alpha)
  const bytes = n * sizeof<T>()
  const end = x + bytes
  const blocks = x + (bytes & ~63)
  for (; x < blocks; x += 64, y += 64) {
    v128.store(y, v128.add<T>(v128.load(y), v128.mul<T>(factor, v128.load(x))))
    v128.store(y, v128.add<T>(v128.load(y, 16), v128.mul<T>(factor, v128.load(x, 16))), 16)
    v128.store(y, v128.add<T>(v128.load(y, 32), v128.mul<T>(factor, v128.load(x, 32))), 32)
    v128.store(y, v128.add<T>(v128.load(y, 48), v128.mul<T>(factor, v128.load(x, 48))), 48)
  }
  for (; x < end; x += sizeof<T>(), y += sizeof<T>()) store<T>(y, (load<T>(y) + alpha * load<T>(x)) as T)
}

@inline
function scaleOf<T>(alpha: T, x: usize, n: usize): void {
  const factor = v128.splat<T>(alpha)
  const bytes = n * sizeof<T>()
  const end = x + bytes
  const blocks = x + (bytes & ~63)
  for (; x < blocks; x += 64) {
    v128.store(x, v128.mul<T>(factor, v128.load(x)))
    v128.store(x, v128.mul<T>(factor, v128.load(x, 16)), 16)
    v128.store(x, v128.mul<T>(factor, v128.load(x, 32)), 32)
    v128.store(x, v128.mul<T>(factor, v128.load(x, 48)), 48)
  }
  for (; x < end; x += sizeof<T>()) store<T>(x, (alpha * load<T>(x)) as T)
}

export function axpyFloat32(alpha: f32, x: usize, y: usize, n: usize): void {
  axpyOf<f32>(alpha, x, y, n)
}
export function axpyFloat64(alpha: f64, x: usize, y: usize, n: usize): void {
  axpyOf<f64>(alpha, x, y, n)
}
export function scaleFloat32(alpha: f32, x: usize, n: usize): void {
  scaleOf<f32>(alpha, x, n)
}
export function scaleFloat64(alpha: f64, x: usize, n: usize): void {
  scaleOf<f64>(alpha, x, n)
}
