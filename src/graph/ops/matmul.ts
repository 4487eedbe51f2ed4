/** Matrix product, with transposed operands and an added row: a dense layer, and both of its gradients. */
import { ShapeError } from '../../errors.ts'
import type { Dim, Shape, TensorType } from '../graph.ts'
import { formatShape, perSample } from '../graph.ts'
import type { OpAttributes } from './attributes.ts'
import { requireFloat } from './elementwise.ts'
import { requireRank } from './require-shape.ts'
import { float32 } from './rule.ts'
import type { LowerContext, OpRule, ReferenceTensor } from './rule.ts'

type Attributes = OpAttributes['matmul']

/** Rows and columns after the optional transposition. */
function oriented(shape: Shape, transpose: boolean): [Dim, Dim] {
  const [rows, columns] = shape as [Dim, Dim]
  return transpose ? [columns, rows] : [rows, columns]
}

/** Units from which on a dense layer's value is stored transposed: below, one product is too small for its form to matter. */
const wideUnits = 32

/** True for the value of a dense layer, x·Wᵀ, that is worth a layout of its own. */
function isWideDense({ transposeA, transposeB }: Attributes, { shape }: TensorType): boolean {
  return !transposeA && transposeB && Number(shape[1]) >= wideUnits
}

interface Operand {
  readonly name: string
  readonly transpose: boolean
}

function gemm(emit: LowerContext<Attributes>['emit'], a: Operand, b: Operand, bias: string | undefined): string {
  const flags = { ...(a.transpose ? { transA: 1 } : {}), ...(b.transpose ? { transB: 1 } : {}) }
  return emit('Gemm', bias === undefined ? [a.name, b.name] : [a.name, b.name, bias], flags)
}

/** A·B + bias, `[m, k]·[k, n] + [n]`; the bias is optional. */
export const matmul: OpRule<Attributes> = {
  arity: [2, 3],
  infer(inputs, { transposeA, transposeB }, { layer }) {
    requireFloat(inputs, layer)
    const [a, b, bias] = inputs as [TensorType, TensorType, TensorType?]
    requireRank(2, a.shape, layer, 'a matrix; flatten the rest')
    requireRank(2, b.shape, layer, 'a matrix')
    const [m, inner] = oriented(a.shape, transposeA)
    const [rows, n] = oriented(b.shape, transposeB)
    if (inner !== rows) {
      throw new ShapeError(`${layer}: the matrices do not fit — expected ${inner} rows on the right, got ${rows}`, {
        expected: inner,
        got: rows,
      })
    }
    if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== n)) {
      throw new ShapeError(`${layer}: the bias has another shape — expected [${n}], got ${formatShape(bias.shape)}`)
    }
    return float32([m, n])
  },
  gradient({ add, inputs, upstream, attrs: { transposeA, transposeB }, needs }) {
    const [a, b] = inputs as [(typeof inputs)[0], (typeof inputs)[0]]
    const product = (x: typeof a, transposeX: boolean, y: typeof a, transposeY: boolean): typeof a =>
      add('matmul', [x, y], { transposeA: transposeX, transposeB: transposeY })
    const gradient = []
    gradient[2] = needs(2) ? add('reduceSum', [upstream], { dims: [0] }) : undefined
    if (needs(1)) gradient[1] = transposeB ? product(upstream, true, a, transposeA) : product(a, !transposeA, upstream, false)
    if (needs(0)) gradient[0] = transposeA ? product(b, transposeB, upstream, true) : product(upstream, false, b, !transposeB)
    return gradient
  },
  layout: ({ attrs, type, wanted }) => (isWideDense(attrs, type) ? 'transposed' : wanted === 'transposed' ? wanted : undefined),
  lower(context) {
    const { emit, attrs, layout, inputLayouts, inputs, inputTypes, constant } = context
    // Operands are read as they are stored: a transposed one by the other flag.
    const operand = (input: number, transpose: boolean): { name: string; transpose: boolean } => {
      const isStoredTransposed = inputLayouts[input] === 'transposed'
      return { name: context.inputAs(input, inputLayouts[input]), transpose: transpose !== isStoredTransposed }
    }
    const [a, b] = [operand(0, attrs.transposeA), operand(1, attrs.transposeB)]
    const bias = inputTypes.length === 3 ? (inputs[2] as string) : undefined
    if (layout !== 'transposed') return gemm(emit, a, b, bias)
    // (A·B)ᵀ = Bᵀ·Aᵀ, with the bias down the rows.
    const column = bias === undefined ? undefined : emit('Unsqueeze', [bias, constant([1], [1], 'int64')])
    return gemm(emit, { ...b, transpose: !b.transpose }, { ...a, transpose: !a.transpose }, column)
  },
  evaluate({ inputs, shape, attrs: { transposeA, transposeB } }) {
    const [a, b, bias] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor?]
    const [m, n] = shape as [number, number]
    const inner = a.shape[transposeA ? 0 : 1] as number
    const result = new Float64Array(m * n)
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = bias === undefined ? 0 : (bias.data[j] as number)
        for (let k = 0; k < inner; k++) {
          const left = a.data[transposeA ? k * m + i : i * inner + k] as number
          sum += left * (b.data[transposeB ? j * inner + k : k * n + j] as number)
        }
        result[i * n + j] = sum
      }
    }
    return result
  },
  flopsPerSample([a, , bias], type, { transposeA }) {
    const [m, n] = type.shape.map(perSample) as [number, number]
    const inner = perSample((a as TensorType).shape[transposeA ? 0 : 1] as Dim)
    return 2 * m * n * inner + (bias === undefined ? 0 : m * n)
  },
}
