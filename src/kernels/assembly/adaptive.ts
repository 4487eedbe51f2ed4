import { adamLanes, adamOne } from './adam-step'

// Optimiser updates whose rates adapt to each parameter. Lane and scalar forms round alike, in the order in which plain.ts writes them.

export function adagrad(w: usize, g: usize, a: usize, n: usize, learningRate: f32, epsilon: f32, decay: f32): void {
  const rate = f32x4.splat(learningRate)
  const eps = f32x4.splat(epsilon)
  const wd = f32x4.splat(decay)
  const end = w + (n << 2)
  const blocks = w + ((n << 2) & ~15)
  for (; w < blocks; w += 16, g += 16, a += 16) {
    const wi = v128.load(w)
    const d = f32x4.add(v128.load(g), f32x4.mul(wd, wi))
    const ai = f32x4.add(v128.load(a), f32x4.mul(d, d))
    v128.store(a, ai)
    v128.store(w, f32x4.sub(wi, f32x4.div(f32x4.mul(rate, d), f32x4.add(f32x4.sqrt(ai), eps))))
  }
  for (; w < end; w += 4, g += 4, a += 4) {
    const wi = load<f32>(w)
    const d: f32 = load<f32>(g) + decay * wi
    const ai: f32 = load<f32>(a) + d * d
    store<f32>(a, ai)
    store<f32>(w, wi - (learningRate * d) / (sqrt<f32>(ai) + epsilon))
  }
}

// s: mean square; a: mean, 0 where it is not centred; v: momentum, 0 where there is none.
export function rmsprop(
  w: usize, g: usize, s: usize, a: usize, v: usize, n: usize,
  learningRate: f32, rho: f32, keep: f32, epsilonInside: f32, epsilonOutside: f32, mu: f32, decay: f32,
): void {
  const rate = f32x4.splat(learningRate)
  const old = f32x4.splat(rho)
  const fresh = f32x4.splat(keep)
  const inside = f32x4.splat(epsilonInside)
  const outside = f32x4.splat(epsilonOutside)
  const momentum = f32x4.splat(mu)
  const wd = f32x4.splat(decay)
  const zero = f32x4.splat(0)
  const blocks = n & ~3
  let i: usize = 0
  for (; i < blocks << 2; i += 16) {
    const wi = v128.load(w + i)
    const d = f32x4.add(v128.load(g + i), f32x4.mul(wd, wi))
    const si = f32x4.add(f32x4.mul(old, v128.load(s + i)), f32x4.mul(fresh, f32x4.mul(d, d)))
    v128.store(s + i, si)
    let variance = si
    if (a != 0) {
      const ai = f32x4.add(f32x4.mul(old, v128.load(a + i)), f32x4.mul(fresh, d))
      v128.store(a + i, ai)
      variance = f32x4.max(zero, f32x4.sub(si, f32x4.mul(ai, ai)))
    }
    let step = f32x4.div(d, f32x4.add(f32x4.sqrt(f32x4.add(variance, inside)), outside))
    if (v != 0) {
      step = f32x4.add(f32x4.mul(momentum, v128.load(v + i)), step)
      v128.store(v + i, step)
    }
    v128.store(w + i, f32x4.sub(wi, f32x4.mul(rate, step)))
  }
  for (; i < n << 2; i += 4) {
    const wi = load<f32>(w + i)
    const d: f32 = load<f32>(g + i) + decay * wi
    const si: f32 = rho * load<f32>(s + i) + keep * (d * d)
    store<f32>(s + i, si)
    let variance: f32 = si
    if (a != 0) {
      const ai: f32 = rho * load<f32>(a + i) + keep * d
      store<f32>(a + i, ai)
      variance = max<f32>(0, si - ai * ai)
    }
    let step: f32 = d / (sqrt<f32>(variance + epsilonInside) + epsilonOutside)
    if (v != 0) {
      step = mu * load<f32>(v + i) + step
      store<f32>(v + i, step)
    }
    store<f32>(w + i, wi - learningRate * step)
  }
}

// g becomes the direction of Adam with decoupled decay, stepSize·m / (√v / root + ε) + decay·w: what LAMB scales layer by layer.
export function adamDirection(
  w: usize, g: usize, m: usize, v: usize, n: usize,
  beta1: f32, keep1: f32, beta2: f32, keep2: f32, epsilon: f32, stepSize: f32, root: f32, decay: f32,
): void {
  const b1 = f32x4.splat(beta1)
  const k1 = f32x4.splat(keep1)
  const b2 = f32x4.splat(beta2)
  const k2 = f32x4.splat(keep2)
  const eps = f32x4.splat(epsilon)
  const size = f32x4.splat(stepSize)
  const correction = f32x4.splat(root)
  const wd = f32x4.splat(decay)
  const end = w + (n << 2)
  const blocks = w + ((n << 2) & ~15)
  for (; w < blocks; w += 16, g += 16, m += 16, v += 16) {
    const step = adamLanes(v128.load(g), m, v, b1, k1, b2, k2, eps, size, correction)
    v128.store(g, f32x4.add(step, f32x4.mul(wd, v128.load(w))))
  }
  for (; w < end; w += 4, g += 4, m += 4, v += 4) {
    store<f32>(g, adamOne(load<f32>(g), m, v, beta1, keep1, beta2, keep2, epsilon, stepSize, root) + decay * load<f32>(w))
  }
}

// Elements into [−limit, limit]; a NaN stays one.
export function clamp(x: usize, n: usize, limit: f32): void {
  const high = f32x4.splat(limit)
  const low = f32x4.splat(-limit)
  const end = x + (n << 2)
  const blocks = x + ((n << 2) & ~15)
  for (; x < blocks; x += 16) v128.store(x, f32x4.min(high, f32x4.max(low, v128.load(x))))
  for (; x < end; x += 4) store<f32>(x, min<f32>(limit, max<f32>(-limit, load<f32>(x))))
}
