// Σ [x, y]ᵀ[x, y] over rows: a block of rows is widened to float64 in scratch memory, then the upper triangle is made tile by tile (4 × 4
// products in eight registers, each loaded value used four times), and each tile is added to the result once per block.

const BLOCK: usize = 32

@inline
function widen<T>(rows: usize, targets: usize, start: usize, count: usize, d: usize, width: usize, sums: usize, scratch: usize): void {
  for (let r: usize = 0; r < count; r++) {
    let from = rows + (start + r) * d * sizeof<T>()
    let into = scratch + ((r * width) << 3)
    let sum = sums
    for (const end = from + d * sizeof<T>(); from < end; from += sizeof<T>(), into += 8, sum += 8) {
      const x = load<T>(from) as f64
      store<f64>(into, x)
      store<f64>(sum, load<f64>(sum) + x)
    }
    const y = load<T>(targets + (start + r) * sizeof<T>()) as f64
    store<f64>(into, y)
    store<f64>(sum, load<f64>(sum) + y)
  }
}

@inline
function addPair(gram: usize, row: usize, column: usize, size: usize, pair: v128): void {
  const into = gram + ((row * size + column) << 3)
  if (row < size && column < size && column >= row) store<f64>(into, load<f64>(into) + f64x2.extract_lane(pair, 0))
  if (row < size && column + 1 < size && column + 1 >= row) store<f64>(into, load<f64>(into, 8) + f64x2.extract_lane(pair, 1), 8)
}

function addTile(scratch: usize, count: usize, width: usize, i: usize, j: usize, gram: usize, size: usize): void {
  let a0 = f64x2.splat(0)
  let a1 = a0
  let b0 = a0
  let b1 = a0
  let c0 = a0
  let c1 = a0
  let d0 = a0
  let d1 = a0
  let left = scratch + (i << 3)
  let right = scratch + (j << 3)
  const stride = width << 3
  for (const end = left + count * stride; left < end; left += stride, right += stride) {
    const x0 = v128.load(right)
    const x1 = v128.load(right, 16)
    const a = v128.load64_splat(left)
    const b = v128.load64_splat(left, 8)
    const c = v128.load64_splat(left, 16)
    const d = v128.load64_splat(left, 24)
    a0 = f64x2.add(a0, f64x2.mul(a, x0))
    a1 = f64x2.add(a1, f64x2.mul(a, x1))
    b0 = f64x2.add(b0, f64x2.mul(b, x0))
    b1 = f64x2.add(b1, f64x2.mul(b, x1))
    c0 = f64x2.add(c0, f64x2.mul(c, x0))
    c1 = f64x2.add(c1, f64x2.mul(c, x1))
    d0 = f64x2.add(d0, f64x2.mul(d, x0))
    d1 = f64x2.add(d1, f64x2.mul(d, x1))
  }
  addPair(gram, i, j, size, a0)
  addPair(gram, i, j + 2, size, a1)
  addPair(gram, i + 1, j, size, b0)
  addPair(gram, i + 1, j + 2, size, b1)
  addPair(gram, i + 2, j, size, c0)
  addPair(gram, i + 2, j + 2, size, c1)
  addPair(gram, i + 3, j, size, d0)
  addPair(gram, i + 3, j + 2, size, d1)
}

@inline
function gramOf<T>(rows: usize, targets: usize, start: usize, end: usize, d: usize, gram: usize, sums: usize, scratch: usize): void {
  const size = d + 1
  const width = (size + 3) & ~3
  memory.fill(scratch, 0, (BLOCK * width) << 3)
  for (; start < end; start += BLOCK) {
    const count = min<usize>(BLOCK, end - start)
    widen<T>(rows, targets, start, count, d, width, sums, scratch)
    for (let i: usize = 0; i < width; i += 4) {
      for (let j = i; j < width; j += 4) addTile(scratch, count, width, i, j, gram, size)
    }
  }
}

export function gramFloat32(
  rows: usize, targets: usize, start: usize, end: usize, d: usize, gram: usize, sums: usize, scratch: usize,
): void {
  gramOf<f32>(rows, targets, start, end, d, gram, sums, scratch)
}
export function gramFloat64(
  rows: usize, targets: usize, start: usize, end: usize, d: usize, gram: usize, sums: usize, scratch: usize,
): void {
  gramOf<f64>(rows, targets, start, end, d, gram, sums, scratch)
}
