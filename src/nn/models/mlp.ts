import { ConfigError } from '../../errors.ts'
import { shown } from '../../option-checks.ts'
import { dense, relu } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'

/**
 * A multilayer perceptron: dense layers `d1`, `d2`, … with ReLU between them, He initialisation.
 * @param sizes - Features, hidden units, outputs: `[784, 512, 256, 10]`
 * @param name - Default `mlp-` and the sizes
 * @throws {ConfigError} CONFIG for fewer than two sizes
 */
export function mlp(sizes: readonly number[], name?: string): Model<{ readonly x: readonly [number] }> {
  if (!Array.isArray(sizes))
    throw new ConfigError(`mlp: the sizes cannot be used — expected an array such as [784, 128, 10], got ${shown(sizes)}`)
  const [features, ...units] = sizes
  if (features === undefined || units.length === 0) {
    throw new ConfigError(
      `mlp: the sizes describe no layer — expected features and at least one number of units, got [${sizes.join(', ')}]`,
    )
  }
  return model(name ?? `mlp-${sizes.join('-')}`, { x: [features] }, ({ x }) =>
    units.reduce((h, size, i) => dense(i === 0 ? h : relu(h), size, { name: `d${i + 1}` }), x),
  )
}
