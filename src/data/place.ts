/**
 * Raw rows lie once in a shared segment; what crosses threads is a description with handles. Where rows have to travel to another
 * process they go as plain arrays.
 * @packageDocumentation
 */
import type { DType, NumericArray } from '../memory/dtype.ts'
import { allocationBytes, type Handle } from '../memory/handle.ts'
import { Segment } from '../memory/segment.ts'
import type { Dataset, Tensor } from './dataset.ts'
import { makeDataset } from './make-dataset.ts'

type Described = Omit<Dataset, 'features' | 'target' | 'test'>

/** A tensor by handle. */
export interface PlacedTensor {
  readonly shape: readonly number[]
  readonly handle: Handle
}

/** A data set whose arrays are handles: plain data for another thread, which has the segment attached. */
export interface PlacedDataset extends Described {
  readonly features: PlacedTensor
  readonly target?: PlacedTensor
  readonly test?: PlacedDataset
}

/** A data set as plain data (no accessors), for a message to another process. */
export interface DatasetArrays extends Described {
  readonly features: Dataset['features']
  readonly target?: NonNullable<Dataset['target']>
  readonly test?: DatasetArrays
}

/** How a data set is placed. */
export interface PlaceOptions {
  /** Room to leave in the segment, for instance for staged batches (default 0). */
  readonly extraBytes?: number
  /** Place the evaluation rows too (default true). */
  readonly test?: boolean
}

/** Bytes that a data set takes in a segment, alignment included. */
export function placedBytes(dataset: Dataset, options: PlaceOptions = {}): number {
  const own = tensorBytes(dataset.features) + (dataset.target ? tensorBytes(dataset.target) : 0)
  return own + (dataset.test && options.test !== false ? placedBytes(dataset.test) : 0)
}

/**
 * Copies features and targets into a new segment, once; the arrays given may be collected afterwards.
 * @throws {MemoryError} when they and `extraBytes` do not fit into one segment (4 GiB).
 */
export function placeDataset(dataset: Dataset, options: PlaceOptions = {}): { segment: Segment; placed: PlacedDataset } {
  const segment = Segment.create(placedBytes(dataset, options) + (options.extraBytes ?? 0), `data ${dataset.name}`)
  return { segment, placed: placeInto(dataset, segment, options) }
}

/** Copies features and targets into a segment that this thread has made. */
export function placeInto(dataset: Dataset, segment: Segment, options: PlaceOptions = {}): PlacedDataset {
  const { features, target, test, ...rest } = described(dataset)
  return {
    ...rest,
    features: placeTensor(features, segment, 'features'),
    ...(target && { target: placeTensor(target, segment, 'target') }),
    ...(test && options.test !== false && { test: placeInto(test, segment) }),
  }
}

/** The data set behind `placed`, as views on this thread's alias of its segment. Nothing is copied or hashed. */
export function attachDataset(placed: PlacedDataset, segment: Segment): Dataset {
  const { hash, rows: _, features, target, test, ...rest } = placed
  const tensor = <T extends Tensor>({ shape, handle }: PlacedTensor): T =>
    ({ dtype: handle.dtype, shape, values: segment.view(handle as Handle & { dtype: DType }) }) as unknown as T
  return makeDataset(
    {
      ...rest,
      features: tensor<Dataset['features']>(features),
      target: target && tensor<NonNullable<Dataset['target']>>(target),
      test: test && attachDataset(test, segment),
    },
    hash,
  )
}

/** The data set as plain data, with its arrays. */
export function datasetArrays(dataset: Dataset): DatasetArrays {
  const { features, target, test, ...rest } = described(dataset)
  return { ...rest, features: packed(features), ...(target && { target: packed(target) }), ...(test && { test: datasetArrays(test) }) }
}

/** The data set that came as plain data. */
export function datasetFromArrays(arrays: DatasetArrays): Dataset {
  const { hash, rows: _, test, ...rest } = arrays
  return makeDataset({ ...rest, test: test && datasetFromArrays(test) }, hash)
}

function described(dataset: Dataset): Described & Pick<Dataset, 'features' | 'target' | 'test'> {
  return { ...dataset }
}

function tensorBytes(tensor: Tensor): number {
  return allocationBytes(tensor.dtype, tensor.values.length)
}

function placeTensor(tensor: Tensor, segment: Segment, label: string): PlacedTensor {
  const values = segment.allocate(tensor.dtype, tensor.values.length, label) as NumericArray
  values.set(tensor.values)
  return { shape: tensor.shape, handle: segment.handleOf(values) }
}

// A message copies the whole buffer behind a view, so a view becomes an array of its own first.
function packed<T extends Tensor>(tensor: T): T {
  const { values } = tensor
  return values.byteLength === values.buffer.byteLength ? tensor : { ...tensor, values: values.slice() }
}
