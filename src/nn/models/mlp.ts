import { ConfigError } from '../../errors.ts'
import { dense, relu } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'

/**
 * A multilayer perceptron: dense layers `d1`, `d2`, … with ReLU between them, He initialisation.
 * @param sizes - Features, hidden units, outputs: `[784, 512, 256, 10]`
 * @param name - Default `mlp-` and the sizes
 * @throws {ConfigError} CONFIG for fewer than two sizes
 */
export function mlp(sizes: readonly number[], name = `mlp-${sizes.join('-')}`): Model<{ readonly x: readonly [number] }> {
  const [features, ...units] = sizes
  if (features === undefined || units.length === 0) {
    throw new ConfigError(
      `mlp: the sizes describe no layer — expected features and at least one number of units, got [${sizes.join(', ')}]`,
    )
  }
  return model(name, { x: [features] }, ({ x }) =>
    units.reduce((h, size, i) => dense(i === 0 ? h : relu(h), size, { name: `d${i + 1}` }), x),
  )
}
