/** Products of matrices. */
import type { Value } from '../../../graph/builder.ts'
import { elementCount, formatShape, isBatchDim, perSample, sameShape, timesBatch } from '../../../graph/graph.ts'
import type { Dim, Shape } from '../../../graph/graph.ts'
import { broadcastShapes } from '../../../graph/ops/broadcast.ts'
import { isAutomatic, layerOfParameter, usableName } from '../names.ts'
import type { Static } from '../operand.ts'
import type { Reader, Step } from '../step.ts'

/** A matrix of weights, and whether it is to be read transposed: stored `[out, in]`, unless it is stored otherwise already. */
function weightOf(
  step: Step,
  tensor: Static,
  isTransposed: boolean,
  name?: string,
): { readonly value: Value; readonly transposeB: boolean } {
  const stored = step.network.isTransposed(tensor) ?? !isTransposed
  return {
    value: step.network.parameter(tensor, 'weight', step.layer, { transposed: stored, ...(name === undefined ? {} : { name }) }),
    transposeB: stored !== isTransposed,
  }
}

/** A bias that the next node adds, where that node adds a stored row of n numbers and nobody else reads the product. */
function biasBehind(step: Step, n: number): { readonly bias: Static; readonly take: (value: Value) => void } | undefined {
  const next = step.onlyUser()
  if (next?.op !== 'Add' || next.domain !== '') return undefined
  const other = next.inputs.find((name) => name !== step.node.outputs[0])
  const bias = other === undefined ? undefined : step.network.get(other)
  if (bias?.kind !== 'static' || bias.dtype !== 'float32' || !sameShape(bias.shape, [n])) return undefined
  return { bias, take: (value) => step.take(next, value) }
}

/** All rows of a value as one matrix, `[rows, width]`. */
function asRows(step: Step, value: Value): Value {
  const outer = value.shape.slice(0, -1)
  const count = outer.reduce<number>((product, extent) => product * perSample(extent), 1)
  return step.reshape(value, [outer.some(isBatchDim) ? timesBatch(count) : count, value.shape.at(-1) as Dim])
}

/** A·B. A stored matrix on the right makes a dense layer, with the bias that follows. */
export const matMul: Reader = (step) => {
  const right = step.operand(1)
  if (right.kind === 'static' && right.dtype === 'float32' && right.shape.length === 2) return dense(step, right)
  const a = step.value(0)
  const { value: b, transposeB } = untransposed(step, step.value(1))
  const columns = b.shape.at(transposeB ? -2 : -1) as Dim
  if (a.shape.length === 2 && b.shape.length === 2) return step.add('matmul', [a, b], { transposeA: false, transposeB })
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw step.fault('multiplies vectors', 'matrices', `${formatShape(a.shape)} and ${formatShape(b.shape)}`)
  }
  if (b.shape.length === 2) {
    const product = step.add('matmul', [asRows(step, a), b], { transposeA: false, transposeB })
    return step.reshape(product, [...a.shape.slice(0, -1), columns])
  }
  const leading = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), step.layer)
  return step.add('batchMatmul', [stacked(step, a, leading), stacked(step, b, leading)], { transposeA: false, transposeB, factor: 1 })
}

/** What a node before has transposed, as it was: products read either form. */
function untransposed(step: Step, value: Value): { readonly value: Value; readonly transposeB: boolean } {
  const node = step.network.builder.node(value.id)
  const rank = value.shape.length
  const isSwapped = (permutation: readonly number[]): boolean =>
    permutation.every((dim, d) => dim === (d === rank - 1 ? rank - 2 : d === rank - 2 ? rank - 1 : d))
  if (node?.op !== 'transpose' || !isSwapped(node.attrs.permutation)) return { value, transposeB: false }
  return { value: step.network.builder.value(node.inputs[0] as string), transposeB: true }
}

/** A stack of matrices with these leading extents. */
function stacked(step: Step, value: Value, leading: Shape): Value {
  const shape = [...leading, ...value.shape.slice(-2)]
  return sameShape(shape, value.shape) ? value : step.add('broadcastTo', [value], { shape })
}

function dense(step: Step, matrix: Static): Value {
  const units = matrix.shape[1] as number
  const behind = biasBehind(step, units)
  const named = behind?.bias.weight ?? ''
  // A bias keeps its name where constant folding has taken that of the matrix.
  const isNamed = !isAutomatic(named)
  if (isNamed) step.hint = layerOfParameter(named)
  const x = step.value(0)
  const name = isNamed && named.endsWith('bias') ? usableName(named.replace(/bias$/, 'weight')) : undefined
  const { value, transposeB } = weightOf(step, matrix, false, name)
  const inputs = [asRows(step, x), value]
  if (behind !== undefined) inputs.push(step.network.parameter(behind.bias, 'bias', step.layer))
  const product = step.add('matmul', inputs, { transposeA: false, transposeB })
  const result = step.reshape(product, [...x.shape.slice(0, -1), units])
  behind?.take(result)
  return result
}

/** α·A·B + β·C */
export const gemm: Reader = (step) => {
  const { attributes } = step
  const [transposeA, isTransposed] = [attributes.int('transA', 0) === 1, attributes.int('transB', 0) === 1]
  const [alpha, beta] = [attributes.float('alpha', 1), attributes.float('beta', 1)]
  const right = step.operand(1)
  const weight =
    right.kind === 'static' && right.dtype === 'float32'
      ? weightOf(step, right, isTransposed)
      : { value: step.value(1), transposeB: isTransposed }
  const units = Number(weight.value.shape[weight.transposeB ? 0 : 1])
  const flags = { transposeA, transposeB: weight.transposeB }
  const inputs = [step.value(0), weight.value]
  const isRow = step.has(2) && elementCount(step.shape(2).map(perSample)) === units && !step.shape(2).some(isBatchDim)
  if (isRow && alpha === 1 && beta === 1) {
    return step.add('matmul', [...inputs, step.parameter(2, 'bias', { shape: [units] })], flags)
  }
  const product = step.add('matmul', inputs, flags)
  const scaled = alpha === 1 ? product : step.add('scale', [product], { factor: alpha })
  if (!step.has(2)) return scaled
  const c = step.parameter(2, 'bias')
  return step.add('add', [scaled, beta === 1 ? c : step.add('scale', [c], { factor: beta })], {})
}
