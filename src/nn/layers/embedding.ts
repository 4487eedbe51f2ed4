import { kinds } from '../../option-checks.ts'
import { init as initializers } from '../parameter.ts'
import type { Initializer } from '../parameter.ts'
import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import { nameLayer, requirePositive } from './options.ts'
import type { LayerOptions } from './options.ts'

/** Options of {@link embedding} and {@link positions}. */
export interface EmbeddingOptions extends LayerOptions {
  /** First values of the table (default N(0, 1)). */
  readonly init?: Initializer
  /** A table declared elsewhere, `[rows, width]`: see `nn.parameter`. */
  readonly weight?: Tensor
}

/**
 * A learned row for each number: words, users, categories.
 * @param x - int32 `[batch, …]`, numbers from 0 to rows − 1
 * @returns `[batch, …, width]`. Parameter: `<name>.weight` `[rows, width]`
 * @throws {DTypeError} DTYPE unless x is int32
 */
export function embedding(x: Tensor, rows: number, width: number, options: EmbeddingOptions = {}): Tensor {
  const layer = nameLayer(x, 'embedding', options, { init: kinds.object, weight: kinds.object })
  const trace = traceOf(x)
  requirePositive(layer, 'rows', rows)
  requirePositive(layer, 'width', width)
  const { init = initializers.normal(1) } = options
  const table = options.weight ?? trace.parameter({ name: `${layer}.weight`, shape: [rows, width], init, decay: true })
  return x.builder.add('embedding', [table, x], {}, layer)
}

/**
 * Adds a learned row for each position of a sequence.
 * @param x - `[batch, steps, width]`
 * @returns The same shape. Parameter: `<name>.weight` `[steps, width]`
 */
export function positions(x: Tensor, options: EmbeddingOptions = {}): Tensor {
  const layer = nameLayer(x, 'positions', options, { init: kinds.object, weight: kinds.object })
  const trace = traceOf(x)
  const { init = initializers.normal(1) } = options
  const shape = x.shape.slice(1) as number[]
  const table = options.weight ?? trace.parameter({ name: `${layer}.weight`, shape, init, decay: true })
  return x.builder.add('add', [x, table], {}, layer)
}
