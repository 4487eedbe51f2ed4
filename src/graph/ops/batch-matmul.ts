/** Products of stacked matrices: attention scores, and the mixing of values by them. */
import { ShapeError } from '../../errors.ts'
import { formatShape, perSample, sameShape } from '../graph.ts'
import type { Dim, TensorType } from '../graph.ts'
import type { Value } from '../builder.ts'
import type { OpAttributes } from './attributes.ts'
import { requireFloat } from './elementwise.ts'
import { float32 } from './rule.ts'
import type { OpRule, ReferenceTensor } from './rule.ts'

type Attributes = OpAttributes['batchMatmul']

/** Rows and columns of each matrix after the optional transposition. */
function oriented({ shape }: TensorType, transpose: boolean): [Dim, Dim] {
  const [rows, columns] = shape.slice(-2) as [Dim, Dim]
  return transpose ? [columns, rows] : [rows, columns]
}

/** factor · A·B for every pair of matrices, `[…, m, k]·[…, k, n]`; the leading extents are equal. */
export const batchMatmul: OpRule<Attributes> = {
  arity: [2, 2],
  infer(inputs, { transposeA, transposeB }, { layer }) {
    requireFloat(inputs, layer)
    const [a, b] = inputs as [TensorType, TensorType]
    const leading = a.shape.slice(0, -2)
    if (a.shape.length < 3 || !sameShape(leading, b.shape.slice(0, -2))) {
      throw new ShapeError(
        `${layer}: the stacks of matrices do not fit — expected the same leading extents, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      )
    }
    const [m, inner] = oriented(a, transposeA)
    const [rows, n] = oriented(b, transposeB)
    if (inner !== rows) throw new ShapeError(`${layer}: the matrices do not fit — expected ${inner} rows on the right, got ${rows}`)
    return float32([...leading, m, n])
  },
  gradient({ add, inputs, upstream, attrs: { transposeA, transposeB, factor }, needs }) {
    const [a, b] = inputs as [Value, Value]
    const product = (x: Value, transposeX: boolean, y: Value, transposeY: boolean): Value =>
      add('batchMatmul', [x, y], { transposeA: transposeX, transposeB: transposeY, factor })
    const gradient: (Value | undefined)[] = [undefined, undefined]
    if (needs(0)) gradient[0] = transposeA ? product(b, transposeB, upstream, true) : product(upstream, false, b, !transposeB)
    if (needs(1)) gradient[1] = transposeB ? product(upstream, true, a, transposeA) : product(a, !transposeA, upstream, false)
    return gradient
  },
  lower({ emit, inputs, inputTypes, attrs, target, constant }) {
    const { transposeA, transposeB, factor } = attrs
    if (target === 'native') {
      const flags = { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: factor } }
      return emit('FusedMatMul', inputs, flags, { domain: 'com.microsoft' })
    }
    const operand = (input: number, transpose: boolean): string => {
      const rank = (inputTypes[input] as TensorType).shape.length
      const name = inputs[input] as string
      const swapped = [...Array.from({ length: rank - 2 }, (_, d) => d), rank - 1, rank - 2]
      return transpose ? emit('Transpose', [name], { perm: swapped }) : name
    }
    const product = emit('MatMul', [operand(0, transposeA), operand(1, transposeB)])
    return factor === 1 ? product : emit('Mul', [product, constant([factor], [], 'float32')])
  },
  evaluate({ inputs, shape, attrs: { transposeA, transposeB, factor } }) {
    const [a, b] = inputs as [ReferenceTensor, ReferenceTensor]
    const [m, n] = shape.slice(-2) as [number, number]
    const inner = a.shape.at(transposeA ? -2 : -1) as number
    const result = new Float64Array(shape.reduce((product, dim) => product * dim, 1))
    for (let element = 0; element < result.length; element++) {
      const matrix = Math.floor(element / (m * n))
      const [i, j] = [Math.floor(element / n) % m, element % n]
      for (let k = 0; k < inner; k++) {
        const left = a.data[matrix * m * inner + (transposeA ? k * m + i : i * inner + k)] as number
        const right = b.data[matrix * inner * n + (transposeB ? j * inner + k : k * n + j)] as number
        result[element] = (result[element] as number) + factor * left * right
      }
    }
    return result
  },
  flopsPerSample([a], type, { transposeA }) {
    const inner = perSample((a as TensorType).shape.at(transposeA ? -2 : -1) as Dim)
    return 2 * inner * type.shape.reduce<number>((product, dim) => product * perSample(dim), 1)
  },
}
