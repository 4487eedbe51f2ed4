import { fillNormals, fillUniforms } from './bulk.ts'
import type { Generator } from './generator.ts'

const side = 32
const plane = side * side
const voxels = side * plane
const waves = 64
const largest = 8

/**
 * Volumes of 32³ voxels whose spectrum falls off like a power law, and its exponent to guess: e = ½ + 3·u(1, i, 0), 64 waves m with
 * k = ⌊17·u(1, i, 4 + 3m …)⌋ − 8 on the three axes ((0, 0, 0) becomes (1, 0, 0)), phase 2π·u(1, i, 196 + m) and amplitude |k|^(−e/2); their
 * sum is standardised, and 0.3·z(2, i, 1024a + 32b + c) of noise added at voxel (a, b, c). The target is (e − ½)/3.
 */
export const density: Generator = {
  id: 'density',
  title: 'noisy 32³ volumes with a power-law spectrum, whose exponent is the target',
  task: 'regression',
  defaults: { dims: voxels, classes: 0, noise: 0.3 },
  limits: { noise: { min: 0, max: 100 } },
  rows: 1000,
  testRows: 200,
  rowShape: [1, side, side, side],
  prepare({ seed, noise }) {
    const drawn = new Float64Array(196 + waves)
    const field = new Float64Array(voxels)
    const sum = waveSum()
    return (row, into) => {
      fillUniforms(seed, 1, row, drawn.length, drawn)
      const exponent = 0.5 + 3 * drawn[0]!
      sum(drawn, exponent, field)
      standardise(field)
      fillNormals(seed, 2, row, voxels, into)
      for (let voxel = 0; voxel < voxels; voxel++) into[voxel] = field[voxel]! + noise * into[voxel]!
      return (exponent - 0.5) / 3
    }
  },
}

/**
 * The sum of the waves, Σ amplitude·cos(2π(k·(a, b, c))/32 + phase). It is separable: waves of one |k| along the last axis are first added up
 * on a plane, as the factors of cos and of sin, so that the volume costs 9 planes instead of 64.
 */
function waveSum(): (drawn: Float64Array, exponent: number, into: Float64Array) => void {
  const cosines = Float64Array.from({ length: side }, (_, n) => Math.cos((2 * Math.PI * n) / side))
  const sines = Float64Array.from({ length: side }, (_, n) => Math.sin((2 * Math.PI * n) / side))
  const even = Array.from({ length: largest + 1 }, () => new Float64Array(plane))
  const odd = Array.from({ length: largest + 1 }, () => new Float64Array(plane))
  const lineCosines = new Float64Array(side)
  const lineSines = new Float64Array(side)
  const turn = (n: number): number => n & (side - 1)
  return (drawn, exponent, into) => {
    for (const part of [...even, ...odd]) part.fill(0)
    for (let wave = 0; wave < waves; wave++) {
      const [ka, kb, kc] = waveNumber(drawn, wave)
      const amplitude = (ka * ka + kb * kb + kc * kc) ** (-exponent / 4)
      const phase = 2 * Math.PI * drawn[196 + wave]!
      const [real, imaginary] = [amplitude * Math.cos(phase), amplitude * Math.sin(phase)]
      const cos = even[Math.abs(kc)]!
      const sin = odd[Math.abs(kc)]!
      const sign = Math.sign(kc)
      for (let a = 0; a < side; a++) {
        for (let b = 0; b < side; b++) {
          const n = turn(ka * a + kb * b)
          const re = real * cosines[n]! - imaginary * sines[n]!
          const im = real * sines[n]! + imaginary * cosines[n]!
          cos[a * side + b]! += re
          sin[a * side + b]! -= sign * im
        }
      }
    }
    into.fill(0)
    for (let k = 0; k <= largest; k++) {
      const cos = even[k]!
      const sin = odd[k]!
      for (let c = 0; c < side; c++) {
        lineCosines[c] = cosines[turn(k * c)]!
        lineSines[c] = sines[turn(k * c)]!
      }
      for (let at = 0; at < plane; at++) {
        const p = cos[at]!
        const q = sin[at]!
        for (let c = 0; c < side; c++) into[at * side + c]! += p * lineCosines[c]! + q * lineSines[c]!
      }
    }
  }
}

function waveNumber(drawn: Float64Array, wave: number): [number, number, number] {
  const axis = (d: number): number => Math.floor(17 * drawn[4 + 3 * wave + d]!) - largest
  const k: [number, number, number] = [axis(0), axis(1), axis(2)]
  return k.every((part) => part === 0) ? [1, 0, 0] : k
}

/** Mean 0 and (population) standard deviation 1, in place. */
function standardise(values: Float64Array): void {
  let sum = 0
  for (const value of values) sum += value
  const mean = sum / values.length
  let squares = 0
  for (const value of values) squares += (value - mean) ** 2
  const factor = 1 / Math.sqrt(squares / values.length)
  for (let i = 0; i < values.length; i++) values[i] = (values[i]! - mean) * factor
}
