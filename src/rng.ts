/**
 * Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * A number is a pure function of (seed, stream, row, j), so that ranks, threads and other languages draw the same one without passing
 * state around.
 *
 * word(s, k, i, j) is word j mod 4 of the block with key (s, k) and counter (i mod 2³², i ≫ 32, j ≫ 2, 0); u = (word + ½)/2³².
 * @packageDocumentation
 */

const two32 = 2 ** 32
const block = new Uint32Array(4)

/** High half of the 64-bit product of two unsigned 32-bit words. */
function highProduct(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const lowHigh = Math.imul(aLow, bHigh) >>> 0
  const highLow = Math.imul(aHigh, bLow) >>> 0
  const middle = (Math.imul(aLow, bLow) >>> 16) + (lowHigh & 0xffff) + (highLow & 0xffff)
  return (Math.imul(aHigh, bHigh) + (lowHigh >>> 16) + (highLow >>> 16) + (middle >>> 16)) >>> 0
}

/**
 * One Philox4x32-10 block: four unsigned words into `into` from position `at`. Every argument counts modulo 2³².
 * Check value: all zero gives 6627e8d5 e169c58d bc57ac4c 9b00dbd8.
 */
export function philoxBlock(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  counter2: number,
  counter3: number,
  into: Uint32Array | Int32Array,
  at = 0,
): void {
  let [k0, k1, c0, c1, c2, c3] = [key0 | 0, key1 | 0, counter0 | 0, counter1 | 0, counter2 | 0, counter3 | 0]
  for (let round = 0; round < 10; round++) {
    const high0 = highProduct(0xd2511f53, c0)
    const low0 = Math.imul(0xd2511f53, c0)
    const high1 = highProduct(0xcd9e8d57, c2)
    const low1 = Math.imul(0xcd9e8d57, c2)
    c0 = high1 ^ c1 ^ k0
    c1 = low1
    c2 = high0 ^ c3 ^ k1
    c3 = low0
    k0 = (k0 + 0x9e3779b9) | 0
    k1 = (k1 + 0xbb67ae85) | 0
  }
  into[at] = c0
  into[at + 1] = c1
  into[at + 2] = c2
  into[at + 3] = c3
}

/**
 * Unsigned 32-bit word j of (seed, stream, row).
 *
 * @param seed - Modulo 2³².
 * @param stream - Modulo 2³².
 * @param row - 0 to 2⁵³ − 1.
 * @param j - 0 to 2³² − 1.
 */
export function word(seed: number, stream: number, row: number, j: number): number {
  philoxBlock(seed, stream, row >>> 0, Math.floor(row / two32), j >>> 2, 0, block)
  return block[j & 3] as number
}

/** Uniform in (0, 1), never 0 or 1 in float64 (1 can appear by rounding to float32). Arguments as {@link word}. */
export function u(seed: number, stream: number, row: number, j: number): number {
  return (word(seed, stream, row, j) + 0.5) / two32
}

/** Standard normal by Box and Muller (1958): z(2m), z(2m+1) = √(−2 ln u(2m)) · cos, sin 2π u(2m+1). Arguments as {@link word}. */
export function z(seed: number, stream: number, row: number, j: number): number {
  philoxBlock(seed, stream, row >>> 0, Math.floor(row / two32), j >>> 2, 0, block)
  const pair = j & 2
  const radius = Math.sqrt(-2 * Math.log(((block[pair] as number) + 0.5) / two32))
  const angle = 2 * Math.PI * (((block[pair + 1] as number) + 0.5) / two32)
  return radius * ((j & 1) === 0 ? Math.cos(angle) : Math.sin(angle))
}

/**
 * The rows 0 … n − 1 in the order of rising u(seed, stream, row, j), equal ones by row: a shuffle that any rank can make alone.
 * @remarks O(n): a stable radix sort of the words.
 */
export function permutation(seed: number, stream: number, n: number, j = 0): Int32Array<ArrayBuffer> {
  const bits = 11
  const mask = (1 << bits) - 1
  let keys = new Uint32Array(n)
  let rows = new Int32Array(n)
  let nextKeys = new Uint32Array(n)
  let nextRows = new Int32Array(n)
  for (let row = 0; row < n; row++) {
    keys[row] = word(seed, stream, row, j)
    rows[row] = row
  }
  const starts = new Int32Array(mask + 2)
  for (let shift = 0; shift < 32; shift += bits) {
    starts.fill(0)
    for (const key of keys) {
      const digit = (key >>> shift) & mask
      starts[digit + 1] = (starts[digit + 1] as number) + 1
    }
    for (let digit = 1; digit <= mask; digit++) starts[digit] = (starts[digit] as number) + (starts[digit - 1] as number)
    for (let i = 0; i < n; i++) {
      const key = keys[i] as number
      const digit = (key >>> shift) & mask
      const place = starts[digit] as number
      starts[digit] = place + 1
      nextKeys[place] = key
      nextRows[place] = rows[i] as number
    }
    ;[keys, nextKeys, rows, nextRows] = [nextKeys, keys, nextRows, rows]
  }
  return rows
}

/**
 * Numbers drawn one after the other, for code that has no row and place to name: draw n of `rng(seed, stream)` is word n of row 0 (then of
 * row 1, …). Not for anything that several ranks must agree on without drawing in the same order.
 */
export interface Rng {
  /** Uniform in (0, 1). */
  uniform(): number
  /** Standard normal. */
  normal(): number
  /** A whole number from 0 to n − 1, all equally likely; 1 ≤ n ≤ 2³². */
  integer(n: number): number
  /** Puts the elements in random order, in place (Fisher and Yates), and returns the array. */
  shuffle<A extends Int32Array | Uint32Array>(array: A): A
}

/** A sequential generator; equal (seed, stream) draw equal numbers. */
export function rng(seed: number, stream = 0): Rng {
  const words = new Uint32Array(4)
  let drawn = 0
  let spare: number | undefined

  function next(): number {
    const place = drawn % 4
    if (place === 0) philoxBlock(seed, stream, Math.floor(drawn / two32), 0, (drawn % two32) >>> 2, 0, words)
    drawn++
    return words[place] as number
  }

  function integer(n: number): number {
    // Words at the uneven end of the range would favour small numbers: draw again.
    const limit = two32 - (two32 % n)
    let drawnWord = next()
    while (drawnWord >= limit) drawnWord = next()
    return drawnWord % n
  }

  return {
    uniform: () => (next() + 0.5) / two32,
    normal() {
      if (spare !== undefined) {
        const second = spare
        spare = undefined
        return second
      }
      const radius = Math.sqrt(-2 * Math.log((next() + 0.5) / two32))
      const angle = (2 * Math.PI * (next() + 0.5)) / two32
      spare = radius * Math.sin(angle)
      return radius * Math.cos(angle)
    },
    integer,
    shuffle(array) {
      for (let last = array.length - 1; last > 0; last--) {
        const other = integer(last + 1)
        const held = array[last] as number
        array[last] = array[other] as number
        array[other] = held
      }
      return array
    },
  }
}
