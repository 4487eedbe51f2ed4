/**
 * Layer normalisation over the last dim: x̂ = (x − mean)/√(variance + ε) of each row, then gain·x̂ + bias.
 * @see Ba, Kiros, Hinton, Layer normalization, arXiv 1607.06450, 2016
 */
import { ShapeError } from '../../errors.ts'
import { formatShape } from '../graph.ts'
import type { TensorType } from '../graph.ts'
import type { Value } from '../builder.ts'
import type { OpAttributes } from './attributes.ts'
import { requireFloat } from './elementwise.ts'
import { requireNumber, requireSameShape } from './require-shape.ts'
import { float32 } from './rule.ts'
import type { LowerContext, OpRule, ReferenceTensor } from './rule.ts'

type Attributes = OpAttributes['layerNorm']

function features({ shape }: TensorType, layer: string): number {
  if (shape.length < 2)
    throw new ShapeError(`${layer}: there are no rows to normalise — expected [batch, …, features], got ${formatShape(shape)}`)
  return requireNumber(shape.at(-1), layer, 'the number of features')
}

/** Normalised rows and 1/√(variance + ε) of each, by the fused operator: the same numbers wherever they are computed. */
function normalised(x: string, type: TensorType, { constant, emitMany, shared, attrs }: LowerContext<Attributes>): [string, string] {
  return shared(`layer norm ${x} ${attrs.epsilon}`, () => {
    const width = type.shape.at(-1) as number
    const rowOf = (value: number): string => constant(new Array<number>(width).fill(value), [width], 'float32')
    const attributes = { axis: -1, epsilon: { float: attrs.epsilon } }
    const [rows, , scale] = emitMany('LayerNormalization', [x, rowOf(1), rowOf(0)], attributes, 3)
    return [rows as string, scale as string]
  })
}

/** Normalised rows and 1/√(variance + ε) of each. */
function normalisedReference({ data, shape }: ReferenceTensor, epsilon: number): { rows: Float64Array; scales: Float64Array } {
  const width = shape.at(-1) as number
  const rows = new Float64Array(data.length)
  const scales = new Float64Array(data.length / width)
  scales.forEach((_, r) => {
    const row = data.subarray(r * width, (r + 1) * width)
    const mean = row.reduce((sum, x) => sum + x, 0) / width
    const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / width
    const scale = 1 / Math.sqrt(variance + epsilon)
    scales[r] = scale
    rows.set(
      row.map((x) => (x - mean) * scale),
      r * width,
    )
  })
  return { rows, scales }
}

/** Inputs: x `[…, features]`, gain `[features]`, bias `[features]`; value: gain·x̂ + bias. */
export const layerNorm: OpRule<Attributes> = {
  arity: [3, 3],
  infer(inputs, _, { layer }) {
    requireFloat(inputs, layer)
    const [x, gain, bias] = inputs as [TensorType, TensorType, TensorType]
    const width = features(x, layer)
    requireSameShape([width], gain.shape, layer)
    requireSameShape([width], bias.shape, layer)
    return float32(x.shape)
  },
  gradient({ add, inputs, upstream, attrs, needs }) {
    const [x, gain] = inputs as [Value, Value]
    const rows = x.shape.map((_, d) => d).slice(0, -1)
    return [
      needs(0) ? add('layerNormGradient', [x, gain, upstream], attrs) : undefined,
      needs(1) ? add('layerNormGainGradient', [x, upstream], attrs) : undefined,
      needs(2) ? add('reduceSum', [upstream], { dims: rows }) : undefined,
    ]
  },
  lower: ({ emit, inputs, attrs }) =>
    emit(
      'LayerNormalization',
      [0, 1, 2].map((i) => inputs[i] as string),
      { axis: -1, epsilon: { float: attrs.epsilon } },
    ),
  evaluate({ inputs, attrs }) {
    const [x, gain, bias] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor]
    const width = gain.data.length
    return normalisedReference(x, attrs.epsilon).rows.map(
      (value, i) => value * (gain.data[i % width] as number) + (bias.data[i % width] as number),
    )
  },
}

/** Inputs: x, gain, dL/dy; value: dL/dx = (ĝ − mean(ĝ) − x̂·mean(ĝ·x̂)) / √(variance + ε) with ĝ = gain·dL/dy, the means over the row. */
export const layerNormGradient: OpRule<Attributes> = {
  arity: [3, 3],
  infer(inputs, _, { layer }) {
    requireFloat(inputs, layer)
    return float32((inputs[0] as TensorType).shape)
  },
  lower(context) {
    const { emit, inputs, type, constant } = context
    const [x, gain, dy] = [0, 1, 2].map((i) => inputs[i] as string) as [string, string, string]
    const [rows, scale] = normalised(x, type, context)
    const width = type.shape.at(-1) as number
    // Both means are products with gain/width, which reads each row once and writes one number.
    const shares = emit('Unsqueeze', [emit('Mul', [gain, constant([1 / width], [], 'float32')]), constant([1], [1], 'int64')])
    const product = weightedRows(rows, dy, context)
    const along = emit('MatMul', [product, shares])
    const mean = emit('MatMul', [dy, shares])
    const rest = emit('Sub', [emit('Sub', [emit('Mul', [dy, gain]), mean]), emit('Mul', [rows, along])])
    return emit('Mul', [rest, scale])
  },
  evaluate({ inputs, attrs }) {
    const [x, gain, dy] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor]
    const { rows, scales } = normalisedReference(x, attrs.epsilon)
    const width = gain.data.length
    const scaled = dy.data.map((value, i) => value * (gain.data[i % width] as number))
    const result = new Float64Array(x.data.length)
    scales.forEach((scale, r) => {
      let [mean, along] = [0, 0]
      for (let i = r * width; i < (r + 1) * width; i++) {
        mean += (scaled[i] as number) / width
        along += ((scaled[i] as number) * (rows[i] as number)) / width
      }
      for (let i = r * width; i < (r + 1) * width; i++) {
        result[i] = ((scaled[i] as number) - mean - (rows[i] as number) * along) * scale
      }
    })
    return result
  },
}

/** Inputs: x, dL/dy; value: dL/dgain = Σ x̂·dL/dy over the rows. */
export const layerNormGainGradient: OpRule<Attributes> = {
  arity: [2, 2],
  infer(inputs, _, { layer }) {
    requireFloat(inputs, layer)
    return float32([features(inputs[0] as TensorType, layer)])
  },
  lower(context) {
    const { emit, inputs, inputTypes, constant } = context
    const x = inputTypes[0] as TensorType
    const [rows] = normalised(inputs[0] as string, x, context)
    const product = weightedRows(rows, inputs[1] as string, context)
    const dims = x.shape.map((_, d) => d).slice(0, -1)
    return emit('ReduceSum', [product, constant(dims, [dims.length], 'int64')], { keepdims: 0 })
  },
  evaluate({ inputs, shape, attrs }) {
    const [x, dy] = inputs as [ReferenceTensor, ReferenceTensor]
    const result = new Float64Array(shape[0] as number)
    normalisedReference(x, attrs.epsilon).rows.forEach((value, i) => {
      const column = i % result.length
      result[column] = (result[column] as number) + value * (dy.data[i] as number)
    })
    return result
  },
}

/** x̂·dL/dy, which both gradients need. */
function weightedRows(rows: string, dy: string, { emit, shared }: LowerContext<Attributes>): string {
  return shared(`layer norm product ${rows} ${dy}`, () => emit('Mul', [rows, dy]))
}
