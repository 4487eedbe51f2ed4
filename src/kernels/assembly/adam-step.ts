// One step of Adam on four elements, and on one: moves the moments towards the gradient d; returns stepSize·m / (√v / root + ε).
@inline
export function adamLanes(
  d: v128, m: usize, v: usize, b1: v128, k1: v128, b2: v128, k2: v128, eps: v128, size: v128, correction: v128,
): v128 {
  const mi = f32x4.add(f32x4.mul(b1, v128.load(m)), f32x4.mul(k1, d))
  const vi = f32x4.add(f32x4.mul(b2, v128.load(v)), f32x4.mul(k2, f32x4.mul(d, d)))
  v128.store(m, mi)
  v128.store(v, vi)
  return f32x4.div(f32x4.mul(size, mi), f32x4.add(f32x4.div(f32x4.sqrt(vi), correction), eps))
}

@inline
export function adamOne(
  d: f32, m: usize, v: usize, beta1: f32, keep1: f32, beta2: f32, keep2: f32, epsilon: f32, stepSize: f32, root: f32,
): f32 {
  const mi: f32 = beta1 * load<f32>(m) + keep1 * d
  const vi: f32 = beta2 * load<f32>(v) + keep2 * (d * d)
  store<f32>(m, mi)
  store<f32>(v, vi)
  const divisor: f32 = sqrt<f32>(vi) / root + epsilon
  return (stepSize * mi) / divisor
}
