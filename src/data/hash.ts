import { createHash } from 'node:crypto'
import type { Dataset } from './dataset.ts'

/** SHA-256 (hex) of a list of typed arrays, each preceded by its description. */
export function hashArrays(parts: readonly { readonly label: string; readonly values: ArrayBufferView }[]): string {
  const hash = createHash('sha256')
  for (const { label, values } of parts) {
    hash.update(`${label}\n`)
    // Files and segments can be longer than the 2 GiB that one update takes.
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    for (let start = 0; start < bytes.length; start += 1 << 28) hash.update(bytes.subarray(start, start + (1 << 28)))
  }
  return hash.digest('hex')
}

/**
 * SHA-256 (hex) of what a run computes with: features, target, shapes, element kinds and normalisation. Names do not count.
 * @remarks Reads every byte once: about 0.1 s per 50 MB.
 */
export function hashDataset(dataset: Pick<Dataset, 'features' | 'target' | 'normalize'>): string {
  const { features, target, normalize } = dataset
  const parts: { label: string; values: ArrayBufferView }[] = [
    { label: `features ${features.dtype} ${features.shape.join('x')} ${normalize.scale} ${normalize.shift}`, values: features.values },
  ]
  if (target) parts.push({ label: `target ${target.dtype} ${target.shape.join('x')}`, values: target.values })
  return hashArrays(parts)
}
