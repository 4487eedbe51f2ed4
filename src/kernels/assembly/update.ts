import { adamLanes, adamOne } from './adam-step'

// Optimiser updates on float32 parameters. Lane and scalar forms round alike, in the order in which plain.ts writes them.

export function sgd(w: usize, g: usize, n: usize, learningRate: f32, decay: f32): void {
  const rate = f32x4.splat(learningRate)
  const wd = f32x4.splat(decay)
  const end = w + (n << 2)
  const blocks = w + ((n << 2) & ~31)
  for (; w < blocks; w += 32, g += 32) {
    const w0 = v128.load(w)
    const w1 = v128.load(w, 16)
    const d0 = f32x4.add(v128.load(g), f32x4.mul(wd, w0))
    const d1 = f32x4.add(v128.load(g, 16), f32x4.mul(wd, w1))
    v128.store(w, f32x4.sub(w0, f32x4.mul(rate, d0)))
    v128.store(w, f32x4.sub(w1, f32x4.mul(rate, d1)), 16)
  }
  for (; w < end; w += 4, g += 4) {
    const wi = load<f32>(w)
    store<f32>(w, wi - learningRate * (load<f32>(g) + decay * wi))
  }
}

@inline
function momentumLanes(w: usize, g: usize, v: usize, rate: v128, mu: v128, wd: v128, nesterov: bool): void {
  const wi = v128.load(w)
  const d = f32x4.add(v128.load(g), f32x4.mul(wd, wi))
  const vi = f32x4.add(f32x4.mul(mu, v128.load(v)), d)
  v128.store(v, vi)
  const direction = nesterov ? f32x4.add(d, f32x4.mul(mu, vi)) : vi
  v128.store(w, f32x4.sub(wi, f32x4.mul(rate, direction)))
}

@inline
function momentumOf(w: usize, g: usize, v: usize, n: usize, learningRate: f32, momentum: f32, decay: f32, nesterov: bool): void {
  const rate = f32x4.splat(learningRate)
  const mu = f32x4.splat(momentum)
  const wd = f32x4.splat(decay)
  const end = w + (n << 2)
  const blocks = w + ((n << 2) & ~31)
  for (; w < blocks; w += 32, g += 32, v += 32) {
    momentumLanes(w, g, v, rate, mu, wd, nesterov)
    momentumLanes(w + 16, g + 16, v + 16, rate, mu, wd, nesterov)
  }
  for (; w < end; w += 4, g += 4, v += 4) {
    const wi = load<f32>(w)
    const d: f32 = load<f32>(g) + decay * wi
    const vi: f32 = momentum * load<f32>(v) + d
    store<f32>(v, vi)
    const direction: f32 = nesterov ? d + momentum * vi : vi
    store<f32>(w, wi - learningRate * direction)
  }
}

export function momentum(w: usize, g: usize, v: usize, n: usize, learningRate: f32, mu: f32, decay: f32, nesterov: bool): void {
  if (nesterov) momentumOf(w, g, v, n, learningRate, mu, decay, true)
  else momentumOf(w, g, v, n, learningRate, mu, decay, false)
}

// stepSize = learningRate / (1 − β1ᵗ), root = √(1 − β2ᵗ), shrink = 1 − learningRate·decay when decoupled, else 1.
export function adam(
  w: usize, g: usize, m: usize, v: usize, n: usize,
  beta1: f32, keep1: f32, beta2: f32, keep2: f32, epsilon: f32, stepSize: f32, root: f32, decay: f32, shrink: f32,
): void {
  const b1 = f32x4.splat(beta1)
  const k1 = f32x4.splat(keep1)
  const b2 = f32x4.splat(beta2)
  const k2 = f32x4.splat(keep2)
  const eps = f32x4.splat(epsilon)
  const size = f32x4.splat(stepSize)
  const correction = f32x4.splat(root)
  const wd = f32x4.splat(decay)
  const less = f32x4.splat(shrink)
  const end = w + (n << 2)
  const blocks = w + ((n << 2) & ~15)
  for (; w < blocks; w += 16, g += 16, m += 16, v += 16) {
    const wi = v128.load(w)
    const d = f32x4.add(v128.load(g), f32x4.mul(wd, wi))
    v128.store(w, f32x4.sub(f32x4.mul(less, wi), adamLanes(d, m, v, b1, k1, b2, k2, eps, size, correction)))
  }
  for (; w < end; w += 4, g += 4, m += 4, v += 4) {
    const wi = load<f32>(w)
    const d: f32 = load<f32>(g) + decay * wi
    store<f32>(w, shrink * wi - adamOne(d, m, v, beta1, keep1, beta2, keep2, epsilon, stepSize, root))
  }
}
