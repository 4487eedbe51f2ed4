import { DataError, DTypeError, ShapeError } from '../errors.ts'
import { dtypeOf } from '../memory/dtype.ts'
import type { Dataset, FeatureDType, TargetDType, Tensor } from './dataset.ts'
import { makeDataset } from './make-dataset.ts'
import { faultText } from './fault-text.ts'

type Features = Float32Array | Float64Array | Uint8Array | Uint8ClampedArray | Int32Array
type Targets = Int32Array | Uint8Array | Float32Array | Float64Array | readonly number[] | readonly string[]

/** A user's own arrays as a data set. */
export interface ArraysOptions {
  /** Row-major values; they are used in place, not copied. Plain numbers become float32; an Int32Array holds ids. */
  readonly features: Features | readonly (readonly number[])[]
  /** `[rows, ...]`; the first may be left out by giving only the shape of a row. Default: `[rows, values / rows]`, rows from the target. */
  readonly shape?: readonly number[]
  /** Shape of one row, for instance `[28, 28]`. */
  readonly rowShape?: readonly number[]
  /** One entry a row (or `targetWidth`): integers and text are classes (of several a row, −1 does not count), floating-point numbers values. */
  readonly target?: Targets
  /** Values of the target in each row (default 1). */
  readonly targetWidth?: number
  /** `classification` makes class numbers out of plain numbers (default: by the kind of `target`; plain numbers are values). */
  readonly task?: 'classification' | 'regression'
  /** Class names in the order of their numbers (default: found; of numbers 0 to the largest). */
  readonly classes?: readonly string[]
  readonly featureNames?: readonly string[]
  readonly normalize?: { readonly scale: number; readonly shift: number }
  readonly name?: string
  readonly test?: Dataset
}

/**
 * Makes a data set of arrays that are already in memory.
 * @throws {ShapeError} when lengths do not fit; {@link DTypeError} for an element kind that cannot be features; {@link DataError} for a
 * label that is NaN or no class.
 */
export function fromArrays(options: ArraysOptions): Dataset {
  const name = options.name ?? 'arrays'
  const { features, test, featureNames } = options
  const values = isNested(features) ? flatten(features, name) : checkedFeatures(features, name)
  const shape = shapeOf(options, values.length, isNested(features) ? features.length : undefined, name)
  const rows = shape[0]!
  const labelled = options.target === undefined ? undefined : targetOf(options, options.target, rows, name)
  if (featureNames && featureNames.length !== shape[1]) {
    throw new ShapeError(
      faultText(`fromArrays: the feature names of ${name} do not fit`, shape[1], featureNames.length, 'one name a column'),
    )
  }
  return makeDataset({
    name,
    features: { dtype: dtypeOf(values), shape, values } as Tensor<FeatureDType>,
    target: labelled?.target,
    classes: labelled?.classes,
    featureNames,
    normalize: options.normalize ?? { scale: 1, shift: 0 },
    test,
  })
}

function isNested(features: ArraysOptions['features']): features is readonly (readonly number[])[] {
  return Array.isArray(features)
}

function flatten(rows: readonly (readonly number[])[], name: string): Float32Array<ArrayBuffer> {
  const width = rows[0]?.length ?? 0
  const values = new Float32Array(rows.length * width)
  rows.forEach((row, i) => {
    if (row.length !== width)
      throw new ShapeError(
        faultText(`fromArrays: row ${i} of ${name} has another length`, width, row.length, 'all rows need the same columns'),
      )
    values.set(row, i * width)
  })
  return values
}

function checkedFeatures(values: Features, name: string): Float32Array | Float64Array | Uint8Array | Int32Array {
  if (values instanceof Float32Array || values instanceof Float64Array || values instanceof Uint8Array || values instanceof Int32Array) {
    return values
  }
  if (values instanceof Uint8ClampedArray) return new Uint8Array(values.buffer, values.byteOffset, values.length)
  const got = (values as object)?.constructor?.name ?? typeof values
  throw new DTypeError(
    faultText(
      `fromArrays: features of ${name} cannot be used`,
      'Float32Array, Float64Array, Uint8Array or Int32Array',
      got,
      'convert them first',
    ),
  )
}

function shapeOf(options: ArraysOptions, length: number, nestedRows: number | undefined, name: string): readonly number[] {
  const { shape, rowShape, target, targetWidth = 1 } = options
  const rowSize = rowShape?.reduce((a, b) => a * b, 1)
  const rows = nestedRows ?? (rowSize ? length / rowSize : (target?.length ?? 0) / targetWidth)
  const found = shape ?? [rows, ...(rowShape ?? [length / rows])]
  const size = found.reduce((a, b) => a * b, 1)
  if (length > 0 && size === length && found.every((extent) => Number.isInteger(extent) && extent > 0) && found.length >= 2) return found
  throw new ShapeError(
    faultText(
      `fromArrays: the shape of ${name} does not fit`,
      `[rows, ...] with ${length} values in all`,
      `[${found.join(', ')}]`,
      'give shape or rowShape',
    ),
  )
}

function targetOf(
  options: ArraysOptions,
  target: Targets,
  rows: number,
  name: string,
): { target: Tensor<TargetDType>; classes?: readonly string[] } {
  const { targetWidth = 1, classes, task } = options
  if (target.length !== rows * targetWidth) {
    throw new ShapeError(
      faultText(
        `fromArrays: the target of ${name} does not fit`,
        `${rows * targetWidth} entries for ${rows} rows`,
        target.length,
        'one entry a row, or targetWidth',
      ),
    )
  }
  const isText = typeof target[0] === 'string'
  const isInteger = target instanceof Int32Array || target instanceof Uint8Array
  if (isText || isInteger || classes || task === 'classification') {
    if (task === 'regression' && !isText) return { target: valuesOf(target as ArrayLike<number>, rows, targetWidth, name) }
    const shape = targetWidth === 1 ? [rows] : [rows, targetWidth]
    if (isText) return textClasses(target as readonly string[], shape, classes, name)
    return numberClasses(target as ArrayLike<number>, shape, classes, name)
  }
  return { target: valuesOf(target as ArrayLike<number>, rows, targetWidth, name) }
}

function valuesOf(target: ArrayLike<number>, rows: number, width: number, name: string): Tensor<TargetDType> {
  const values = target instanceof Float64Array || target instanceof Float32Array ? target : Float32Array.from(target)
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]!))
      throw new DataError(faultText(`fromArrays: target ${i} of ${name} is NaN`, 'a number', 'NaN', 'leave the row out'))
  }
  return { dtype: dtypeOf(values), shape: width === 1 ? [rows] : [rows, width], values } as Tensor<TargetDType>
}

function textClasses(
  target: readonly string[],
  shape: readonly number[],
  given: readonly string[] | undefined,
  name: string,
): { target: Tensor<'int32'>; classes: readonly string[] } {
  const classes = given ?? [...new Set(target)].sort()
  const code = new Map(classes.map((label, position) => [label, position]))
  const values = Int32Array.from(target, (label, row) => {
    const found = code.get(label)
    if (found === undefined)
      throw new DataError(
        faultText(
          `fromArrays: label ${row} of ${name} is no class`,
          `one of ${classes.join(', ')}`,
          `'${label}'`,
          'correct it, or classes',
        ),
      )
    return found
  })
  return { target: { dtype: 'int32', shape, values }, classes }
}

function numberClasses(
  target: ArrayLike<number>,
  shape: readonly number[],
  given: readonly string[] | undefined,
  name: string,
): { target: Tensor<'int32'>; classes: readonly string[] } {
  const least = shape.length > 1 ? -1 : 0
  let largest = -1
  for (let row = 0; row < target.length; row++) {
    const label = target[row]!
    if (!Number.isInteger(label) || label < least || (given && label >= given.length)) {
      const expected = given ? `a whole number from ${least} to ${given.length - 1}` : `a whole number from ${least} on`
      throw new DataError(
        faultText(`fromArrays: label ${row} of ${name} is no class`, expected, label, 'correct it, or give the labels as text'),
      )
    }
    if (label > largest) largest = label
  }
  const values = (target instanceof Int32Array ? target : Int32Array.from(target)) as Int32Array<ArrayBuffer>
  const classes = given ?? Array.from({ length: largest + 1 }, (_, label) => String(label))
  return { target: { dtype: 'int32', shape, values }, classes }
}
