/**
 * Data sets: read files, generate problems, load by name, split, partition and shuffle. At the root of the package it is the name `data`:
 *
 * ```ts
 * const mnist = await data.load('mnist')
 * const [fitSet, testSet] = data.split(await data.readCsv('adult.csv', { label: 'income' }), { test: 0.2, stratify: true, seed: 1 })
 * ```
 * @packageDocumentation
 */
export type { Dataset, DatasetSource, FeatureDType, RowOrder, TargetDType, Tensor } from './dataset.ts'
export type { DataProgress, ReadContext } from './read-context.ts'

export { load, type LoadArguments, type LoadOptions, whereIs } from './load.ts'
export { type DatasetId, datasetIds, registry, type RegistryRow } from './registry.ts'
export { resolveSource } from './resolve-source.ts'

export { readCsv, readFile, type ReadFileOptions, readIdx, readLibsvm } from './readers/read-file.ts'
export { type ReaderId, readers } from './readers/index.ts'
export type { CifarOptions } from './readers/cifar.ts'
export type { CorpusOptions } from './corpora/corpus.ts'
export type { CsvOptions } from './readers/csv.ts'
export type { IdxOptions } from './readers/idx.ts'
export type { LibsvmOptions } from './readers/libsvm.ts'
export type { Reader, ReadOptions } from './readers/reader.ts'

export { type ArraysOptions, fromArrays } from './from-arrays.ts'
export { fromAsyncIterable, type IterableOptions, type RowBatch } from './from-async-iterable.ts'

export { generate, type GenerateOptions } from './generators/generate.ts'
export { type GeneratorId, generators } from './generators/index.ts'
export { blobCenters } from './generators/blobs.ts'
export { linearCoefficients } from './generators/linear.ts'

export { split, type SplitOptions } from './split.ts'
export { take } from './take.ts'
export { fillers, imputeMean } from './impute-mean.ts'
export { columnMoments, type ColumnMoments, standardise } from './standardise.ts'

export { partition, partitionColumns, type Partition, type PartitionOptions } from './partition.ts'
export { epochOrder } from './order.ts'
export { type Batch, type BatchCursor, Batches, type BatchOptions } from './batches.ts'
export { hashDataset } from './hash.ts'
