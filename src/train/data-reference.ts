import type { Dataset, DatasetSource } from '../data/dataset.ts'
import { datasetArrays, datasetFromArrays } from '../data/place.ts'
import { resolveSource } from '../data/resolve-source.ts'
import { ProtocolError } from '../errors.ts'
import type { DataReference } from './job.ts'

/** Data sets that this process holds already, by hash: ranks in the driver's own process need no second copy. */
const known = new Map<string, WeakRef<Dataset>>()

/** How ranks get `dataset`: by reference where it has a source, by value where only this process has the rows or `fabric` is in this process. */
export function referenceTo(dataset: Dataset, sameProcess: boolean): DataReference {
  known.set(dataset.hash, new WeakRef(dataset))
  if (dataset.source !== undefined) return { by: 'reference', source: dataset.source, hash: dataset.hash }
  if (sameProcess) return { by: 'reference', source: memorySource, hash: dataset.hash }
  return { by: 'value', dataset: datasetArrays(dataset), hash: dataset.hash }
}

/** Of rows that only the driver's process has: never read, `known` answers first. */
const memorySource: DatasetSource = { kind: 'registry', id: 'memory', options: {} }

/** The rows behind a reference. @throws {ProtocolError} when this host reads other rows than the driver did. */
export async function dereference(reference: DataReference): Promise<Dataset> {
  const held = known.get(reference.hash)?.deref()
  if (held) return held
  if (reference.by === 'value') return datasetFromArrays(reference.dataset)
  const dataset = await resolveSource(reference.source)
  if (dataset.hash !== reference.hash) {
    throw new ProtocolError(
      `data: ${dataset.name} differs from the driver’s — expected SHA-256 ${reference.hash.slice(0, 12)}…, got ${dataset.hash.slice(0, 12)}… (copy the driver’s files to this host)`,
      { expected: reference.hash, got: dataset.hash },
    )
  }
  return dataset
}
