import { ConfigError, ShapeError } from '../errors.ts'
import { u, z } from '../rng.ts'
import { fans, parameterLength } from './parameter.ts'
import type { ParameterSpec } from './parameter.ts'

/** Stream of the counter-based generator that initial parameters are drawn from. */
export const initialisationStream = 10

/**
 * Writes the initial values of all parameters. Element j of parameter number i is a function of (seed, i, j) alone, so every rank that
 * has the seed has the same model.
 *
 * @param write - One array per parameter name
 * @throws {ConfigError} CONFIG when an array is missing
 * @throws {ShapeError} SHAPE when an array has another length
 */
export function initialise(specs: readonly ParameterSpec[], seed: number, write: Readonly<Record<string, Float32Array>>): void {
  specs.forEach((spec, row) => {
    const values = write[spec.name]
    if (values === undefined) throw new ConfigError(`initialise: there is no array for ${spec.name} — expected one for every parameter`)
    const length = parameterLength(spec)
    if (values.length !== length) {
      throw new ShapeError(`initialise: the array for ${spec.name} has another length — expected ${length}, got ${values.length}`)
    }
    const draw = sampler(spec, seed, row)
    for (let j = 0; j < length; j++) values[j] = draw(j)
  })
}

function sampler(spec: ParameterSpec, seed: number, row: number): (j: number) => number {
  const uniform = (limit: number) => (j: number) => limit * (2 * u(seed, initialisationStream, row, j) - 1)
  const normal = (std: number) => (j: number) => std * z(seed, initialisationStream, row, j)
  const { init } = spec
  switch (init.kind) {
    case 'glorot-uniform': {
      const { fanIn, fanOut } = fans(spec)
      return uniform(Math.sqrt(6 / (fanIn + fanOut)))
    }
    case 'he-uniform':
      return uniform(Math.sqrt(6 / fans(spec).fanIn))
    case 'he-normal':
      return normal(Math.sqrt(2 / fans(spec).fanIn))
    case 'uniform':
      return uniform(init.limit)
    case 'normal':
      return normal(init.std)
    case 'constant':
      return () => init.value
  }
}
