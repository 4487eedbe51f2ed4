import { ConfigError, ShapeError } from '../../errors.ts'
import { formatShape } from '../../graph/graph.ts'
import type { Dim } from '../../graph/graph.ts'
import { kinds } from '../../option-checks.ts'
import type { Tensor } from '../trace.ts'
import { dense } from './dense.ts'
import { nameLayer, weightedOptions, requirePositive } from './options.ts'
import type { LayerOptions, WeightedLayerOptions } from './options.ts'

/** What is hidden from an attention. */
export interface AttentionMasks {
  /** A position sees itself and what is before it (default false). */
  readonly causal?: boolean
  /** `[batch, keys]`, 1 where a key is hidden from all queries (padding), 0 elsewhere: see {@link isPadding}. */
  readonly keyMask?: Tensor
}

/** Options of {@link attend}. */
export interface AttendOptions extends LayerOptions, AttentionMasks {
  /** Factor of the scores (default 1/√width). */
  readonly scale?: number
}

/** Options of {@link multiHeadAttention}. */
export interface AttentionOptions extends WeightedLayerOptions, AttentionMasks {
  /** What is looked at, `[batch, keys, width']` (default x itself). */
  readonly context?: Tensor
}

/** Score of a hidden key: e to it is 0 beside any score, and a row with nothing but hidden keys still has a softmax. */
const hiddenScore = -1e9

/** 1 where a text holds the padding number `value` (default 0), else 0: the `keyMask` of an attention. */
export function isPadding(x: Tensor, value = 0, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'isPadding', options)
  return x.builder.add('equals', [x], { value }, layer)
}

/**
 * Each query's mean of the values, weighted by the softmax of its products with the keys.
 * @param queries - `[…, queries, width]`
 * @param keys - `[…, keys, width]`
 * @param values - `[…, keys, width']`
 * @returns `[…, queries, width']`
 * @throws {ShapeError} SHAPE when they do not fit, or a causal mask does not apply
 * @see Luong, Pham, Manning, Effective approaches to attention-based neural machine translation, EMNLP 2015 (dot products)
 * @see Vaswani et al., Attention is all you need, NeurIPS 2017, 3.2.1 (the scale)
 */
export function attend(queries: Tensor, keys: Tensor, values: Tensor, options: AttendOptions = {}): Tensor {
  const layer = nameLayer(queries, 'attend', options, { scale: kinds.number, causal: kinds.flag, keyMask: kinds.object })
  return attendIn(layer, queries, keys, values, options)
}

function attendIn(layer: string, queries: Tensor, keys: Tensor, values: Tensor, options: AttendOptions): Tensor {
  const { builder } = queries
  const { scale: factor = 1 / Math.sqrt(queries.shape.at(-1) as number), causal = false, keyMask } = options
  let scores = builder.add('batchMatmul', [queries, keys], { transposeA: false, transposeB: true, factor }, layer)
  if (causal) scores = builder.add('add', [scores, causalMask(scores, layer)], {}, layer)
  if (keyMask !== undefined) scores = builder.add('add', [scores, hiddenKeys(keyMask, scores, layer)], {}, layer)
  const weights = builder.add('softmax', [scores], {}, layer)
  return builder.add('batchMatmul', [weights, values], { transposeA: false, transposeB: false, factor: 1 }, layer)
}

function causalMask(scores: Tensor, layer: string): Tensor {
  const [steps, keys] = scores.shape.slice(-2) as [number, number]
  if (steps !== keys) {
    throw new ShapeError(`${layer}: a causal mask does not apply — expected as many keys as queries, got ${steps} queries and ${keys} keys`)
  }
  const values = Array.from({ length: steps * keys }, (_, i) => (i % keys > Math.floor(i / keys) ? hiddenScore : 0))
  return scores.builder.add('constant', [], { values, shape: [steps, keys], dtype: 'float32' }, layer)
}

/** The mask as an addend, with an extent of 1 for every dim between the batch and the keys. */
function hiddenKeys(mask: Tensor, scores: Tensor, layer: string): Tensor {
  const [batch, keys] = mask.shape as [Dim, Dim]
  if (mask.shape.length !== 2 || batch !== scores.shape[0] || keys !== scores.shape.at(-1)) {
    throw new ShapeError(
      `${layer}: the key mask does not fit — expected ${formatShape([scores.shape[0] as Dim, scores.shape.at(-1) as Dim])}, got ${formatShape(mask.shape)}`,
    )
  }
  const shape = [batch, ...new Array<number>(scores.shape.length - 2).fill(1), keys]
  const stretched = mask.builder.add('reshape', [mask], { shape }, layer)
  return mask.builder.add('scale', [stretched], { factor: hiddenScore }, layer)
}

/**
 * Attention in several subspaces: queries, keys and values are projections of `width/heads` dims for each head.
 * @param x - `[batch, steps, width]`
 * @param heads - Divides the width
 * @returns `[batch, steps, width]`. Parameters: `<name>.query`, `<name>.key`, `<name>.value`, `<name>.out`, each `.weight` and `.bias`
 * @throws {ConfigError} CONFIG unless the heads divide the width
 * @throws {ShapeError} SHAPE unless x is a sequence
 * @see Vaswani et al., Attention is all you need, NeurIPS 2017, 3.2.2
 */
export function multiHeadAttention(x: Tensor, heads: number, options: AttentionOptions = {}): Tensor {
  const known = { ...weightedOptions, context: kinds.object, causal: kinds.flag, keyMask: kinds.object }
  const layer = nameLayer(x, 'attention', options, known)
  const { context = x, name: _, causal, keyMask, ...weights } = options
  requirePositive(layer, 'heads', heads)
  const width = x.shape[2]
  if (x.shape.length !== 3 || typeof width !== 'number') {
    throw new ShapeError(`${layer}: attention takes a sequence — expected [batch, steps, width], got ${formatShape(x.shape)}`)
  }
  if (width % heads !== 0)
    throw new ConfigError(`${layer}: the heads cannot share the width — expected a divisor of ${width}, got ${heads}`)
  const { builder } = x
  const project = (from: Tensor, role: string): Tensor => {
    const [batch, steps] = from.shape as [Dim, number]
    const projected = dense(from, width, { ...weights, name: `${layer}.${role}` })
    const split = builder.add('reshape', [projected], { shape: [batch, steps, heads, width / heads] }, layer)
    return builder.add('transpose', [split], { permutation: [0, 2, 1, 3] }, layer)
  }
  const masks = { ...(causal === undefined ? {} : { causal }), ...(keyMask === undefined ? {} : { keyMask }) }
  const mixed = attendIn(layer, project(x, 'query'), project(context, 'key'), project(context, 'value'), masks)
  const joined = builder.add('transpose', [mixed], { permutation: [0, 2, 1, 3] }, layer)
  return dense(builder.add('reshape', [joined], { shape: x.shape }, layer), width, { ...weights, name: `${layer}.out` })
}
