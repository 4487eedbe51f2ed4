import type { Dataset } from '../data/dataset.ts'
import { ConfigError, DataError } from '../errors.ts'
import { elementsPerSample, outputNamed } from '../graph/graph.ts'
import { targetType } from '../nn/losses.ts'
import type { LossName } from '../nn/losses.ts'
import { inputType } from '../nn/model.ts'
import type { InputSpec, Model } from '../nn/model.ts'
import { requireTokens, tokenRanges } from '../nn/token-range.ts'

/** Data sets that have been looked through, with what their values were compared with. */
const known = new WeakMap<Dataset, string>()

/**
 * Checks that a model can learn from rows, or be scored on them. Each data set is looked through once for a model and a loss.
 * @throws {ConfigError} CONFIG when shapes or element kinds do not fit
 * @throws {DataError} DATA for a number that is no row of its table, or no class, naming its row
 */
export function checkRows(model: Model, data: Dataset, loss: LossName): void {
  checkShapes(model, data, loss)
  const isTokens = data.features.dtype === 'int32'
  const ranges = isTokens ? tokenRanges(model.graph, Object.keys(model.inputs)[0] as string) : []
  const classes = outputNamed(model.graph, 'output').shape[1]
  const key = JSON.stringify([ranges, loss, classes])
  if (known.get(data) === key) return
  if (isTokens) requireTokens(data.features.values, ranges, `data: ${data.name} cannot be read by ${model.name}`)
  if (loss === 'cross-entropy' && typeof classes === 'number')
    checkTargets(model, data, -1, classes - 1, `0 to ${classes - 1}, or −1 for what does not count`)
  if (loss === 'binary-cross-entropy') checkTargets(model, data, 0, 1, '0 to 1')
  known.set(data, key)
}

function checkTargets({ name }: Model, { name: set, target, rows }: Dataset, least: number, most: number, expected: string): void {
  const values = target?.values ?? []
  const wrong = values.findIndex((value) => !(value >= least && value <= most))
  if (wrong < 0) return
  const row = Math.floor(wrong / (values.length / rows))
  throw new DataError(`data: ${set} has a target that ${name} cannot give — expected ${expected}, got ${values[wrong]} in row ${row}`, {
    row,
  })
}

function checkShapes(model: Model, data: Dataset, loss: LossName): void {
  const inputs = Object.entries(model.inputs)
  const [name, input] = inputs[0] as [string, InputSpec]
  const { shape, dtype } = inputType(input)
  if (inputs.length !== 1)
    throw new ConfigError(`${model.name}: the model has ${inputs.length} inputs — expected one, which gets the features`)
  const expected = shape.reduce((product, extent) => product * extent, 1)
  const got = data.features.values.length / data.rows
  if (expected !== got) {
    throw new ConfigError(
      `${model.name}: input ${name} takes [${shape.join(', ')}] = ${expected} elements a row — ${data.name} has [${data.features.shape.slice(1).join(', ')}] = ${got}`,
    )
  }
  if ((dtype === 'int32') !== (data.features.dtype === 'int32')) {
    throw new ConfigError(`${model.name}: input ${name} takes ${dtype} elements — ${data.name} has ${data.features.dtype}`)
  }
  if (loss === 'cross-entropy' && data.target?.dtype !== 'int32') {
    throw new ConfigError(
      `${model.name}: cross-entropy needs class numbers — ${data.name} has ${data.target?.dtype ?? 'no'} targets (use mean-squared-error)`,
    )
  }
  const output = outputNamed(model.graph, 'output').shape
  const target = elementsPerSample(targetType(model.name, loss, output).shape)
  const given = (data.target?.values.length ?? 0) / data.rows
  if (target !== given) {
    throw new ConfigError(`${model.name}: ${loss} compares with ${target} values a row — ${data.name} has ${given}`)
  }
  const outputs = output[1]
  if (loss === 'cross-entropy' && data.classes && typeof outputs === 'number' && outputs < data.classes.length) {
    throw new ConfigError(
      `${model.name}: gives ${outputs} scores a row — ${data.name} has ${data.classes.length} classes (make the last layer wider)`,
    )
  }
}
