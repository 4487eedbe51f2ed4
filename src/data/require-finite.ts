import { DataError } from '../errors.ts'
import type { Dataset } from './dataset.ts'
import { faultText } from './fault-text.ts'

/** Data sets that have been looked through. */
const known = new WeakSet<Dataset>()

/**
 * Learning from a value that is not a number gives a model that is none, so it is refused before the start. Each data set is looked through once.
 * @throws {DataError} naming row and column of the first such value
 */
export function requireFinite(dataset: Dataset): void {
  if (known.has(dataset)) return
  const { features, target, name, rows, featureNames } = dataset
  const at = firstNotFinite(features.values)
  if (at >= 0) {
    const width = features.values.length / rows
    const column = at % width
    const label = featureNames?.[column]
    const where = `row ${Math.floor(at / width)}, column ${column}${label === undefined ? '' : ` (${label})`}`
    throw new DataError(
      faultText(
        `data: ${name} cannot be learned from`,
        'finite numbers',
        `${features.values[at]} in ${where}`,
        'data.imputeMean fills gaps',
      ),
      { row: Math.floor(at / width), column },
    )
  }
  const wrong = target === undefined ? -1 : firstNotFinite(target.values)
  if (target !== undefined && wrong >= 0) {
    const row = Math.floor(wrong / (target.values.length / rows))
    const got = `${target.values[wrong]} in row ${row}`
    throw new DataError(faultText(`data: the target of ${name} cannot be learned`, 'finite numbers', got, 'leave such rows out'), { row })
  }
  known.add(dataset)
}

function firstNotFinite(values: ArrayLike<number>): number {
  if (!(values instanceof Float32Array || values instanceof Float64Array)) return -1
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i
  return -1
}
