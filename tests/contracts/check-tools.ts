/** Values, arrays and comparisons of the communicator contract. Sums of its small whole numbers are exact in every element kind and any order. */
import type { ReduceOp } from '../../src/fabric/communicator.ts'
import type { RankEnvironment } from '../../src/fabric/launch.ts'
import type { NumericArray } from '../../src/memory/dtype.ts'

/** What the test passes. */
export interface ChecksJob {
  /** Length of the long arrays. */
  readonly long: number
}

/** What can be reduced. */
export const dtypes = ['float32', 'float64', 'int32'] as const
/** What can be moved, though not reduced. */
export const movable = [...dtypes, 'uint8'] as const
/** One of them. */
export type Movable = (typeof movable)[number]
/** All reductions. */
export const ops = ['sum', 'max', 'min'] as const satisfies readonly ReduceOp[]

/** What was wrong, a line each. */
export type Failures = string[]

/** Element i of rank r; above 0 where it must fit into a byte. */
export function element(rank: number, i: number, like?: NumericArray): number {
  return ((i * 7 + rank * 13) % 101) - (like instanceof Uint8Array ? 0 : 50)
}

/** Fills with the values of `rank`, from its element `first` on. */
export function fill(array: NumericArray, rank: number, first = 0): void {
  for (let i = 0; i < array.length; i++) array[i] = element(rank, first + i, array)
}

/** Takes the values of a list in turn. */
export function rotation<T>(values: readonly T[]): () => T {
  let turn = 0
  return () => values[turn++ % values.length] as T
}

/** Element i of all ranks, reduced. */
export function folded(op: ReduceOp, size: number, i: number): number {
  let value = element(0, i)
  for (let rank = 1; rank < size; rank++) {
    const other = element(rank, i)
    value = op === 'sum' ? value + other : op === 'max' ? Math.max(value, other) : Math.min(value, other)
  }
  return value
}

/** Notes the first of every `step`-th element that is another one. */
export function expect(failures: Failures, what: string, array: NumericArray, wanted: (i: number) => number, step = 1): void {
  for (let i = 0; i < array.length; i += step) {
    if (array[i] === wanted(i)) continue
    failures.push(`${what}: element ${i} is ${array[i]}, expected ${wanted(i)}`)
    return
  }
}

/** Arrays of the segment, one for each kind, cut to length. */
const pools = new Map<number, Map<string, NumericArray>>()
export function pooled(env: RankEnvironment<ChecksJob>, dtype: Movable, length: number, name = 'a'): NumericArray {
  const own = pools.get(env.rank) ?? new Map<string, NumericArray>()
  pools.set(env.rank, own)
  const key = `${dtype} ${name}`
  const capacity = dtype === 'float32' && name === 'a' ? env.job.long : 8192
  const array = own.get(key) ?? env.allocate(dtype, capacity, key)
  own.set(key, array)
  return array.subarray(0, length) as NumericArray
}
