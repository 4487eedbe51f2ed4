/**
 * The error function to full double precision, by the series erf x = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!, whose terms all have one
 * sign, so that nothing cancels.
 * @see Abramowitz, Stegun, Handbook of mathematical functions, 7.1.6, 1964
 */
export function erf(x: number): number {
  // From 6 on, 1 − erf x is below the distance of 1 to its neighbour.
  if (Math.abs(x) > 6) return Math.sign(x)
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}
