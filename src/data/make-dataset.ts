import type { Dataset } from './dataset.ts'
import { hashDataset } from './hash.ts'

/** Everything of a {@link Dataset} that is not derived from its arrays; absent optional fields may be given as undefined. */
export type DatasetParts = { readonly [K in keyof Omit<Dataset, 'rows' | 'hash'>]: Dataset[K] | undefined } & Pick<
  Dataset,
  'name' | 'features' | 'normalize'
>

/**
 * A data set over given arrays. The hash is computed when it is first read, because it costs a pass over all bytes.
 * @param knownHash - The hash, where it came with the arrays from another thread.
 */
export function makeDataset(parts: DatasetParts, knownHash?: string): Dataset {
  const present = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as unknown as DatasetParts
  let hash = knownHash
  return {
    ...(present as Omit<Dataset, 'rows' | 'hash'>),
    rows: parts.features.shape[0]!,
    get hash(): string {
      hash ??= hashDataset(parts as Pick<Dataset, 'features' | 'target' | 'normalize'>)
      return hash
    },
  }
}

/** The same data set with some parts replaced (`undefined` leaves one out). Does not compute the old one's hash, as a spread would. */
export function changeDataset(dataset: Dataset, changes: Partial<DatasetParts>): Dataset {
  const { name, features, target, classes, featureNames, vocabulary, edges, order, categories, missingValues, normalize } = dataset
  const { source, test } = dataset
  const names = { name, classes, featureNames, vocabulary, categories }
  const own = { ...names, features, target, edges, order, missingValues, normalize, source, test }
  return makeDataset({ ...own, ...changes })
}
