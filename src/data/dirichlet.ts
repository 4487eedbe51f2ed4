import { u } from '../rng.ts'

const dirichletStream = 8

/**
 * Shares of `count` parties, drawn from the symmetric Dirichlet distribution with parameter `alpha`; they sum to 1.
 * A pure function of (seed, row, attempt).
 */
export function dirichletShares(alpha: number, count: number, seed: number, row: number, attempt: number): Float64Array<ArrayBuffer> {
  // In logarithms: for small alpha most gamma variates are below the smallest positive number.
  const shares = Float64Array.from({ length: count }, (_, party) => logGamma(alpha, seed, row, attempt * count + party))
  const largest = shares.reduce((a, b) => Math.max(a, b))
  let sum = 0
  for (let i = 0; i < count; i++) {
    shares[i] = Math.exp(shares[i]! - largest)
    sum += shares[i]!
  }
  return shares.map((share) => share / sum)
}

/**
 * Logarithm of a Gamma(alpha, 1) variate. For alpha < 1: Gamma(alpha + 1)·U^(1/alpha).
 * @see Marsaglia, Tsang, A simple method for generating gamma variables, ACM TOMS 26(3), 2000
 */
function logGamma(alpha: number, seed: number, row: number, variate: number): number {
  const perVariate = 256
  const first = variate * perVariate
  const boost = alpha < 1 ? Math.log(u(seed, dirichletStream, row, first)) / alpha : 0
  const d = (alpha < 1 ? alpha + 1 : alpha) - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  // Each try is accepted with a chance above 0.95, so the limit is never met.
  for (let at = first + 4; at < first + perVariate; at += 4) {
    const radius = Math.sqrt(-2 * Math.log(u(seed, dirichletStream, row, at)))
    const x = radius * Math.cos(2 * Math.PI * u(seed, dirichletStream, row, at + 1))
    const v = (1 + c * x) ** 3
    if (v <= 0) continue
    if (Math.log(u(seed, dirichletStream, row, at + 2)) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v) + boost
  }
  return Math.log(d) + boost
}
