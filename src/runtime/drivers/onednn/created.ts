import type { Pointer } from './operations.ts'

/** What a function that writes a pointer to its first argument has created. */
export function created(create: (out: BigUint64Array) => void): Pointer {
  const out = new BigUint64Array(1)
  create(out)
  return out[0] as Pointer
}
