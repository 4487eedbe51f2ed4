/** Products of matrices, alone and in stacks. Operands are read as they lie: a transposed one through other strides. */
import type { Node } from '../../../../graph/graph.ts'
import { productKey } from '../../../choice/driver-plan.ts'
import type { Products } from '../../../choice/driver-plan.ts'
import type { Recorder } from '../../../partition/recorder.ts'
import type { Operand } from '../../../partition/step.ts'
import type { Resources } from '../resources.ts'
import type { DnnRule } from './rule.ts'

/**
 * Multiplications of a product from which on it is worth leaving ONNX Runtime: below, calls cost as much as they save.
 */
const anchorSize = 2 ** 21

/** A stack of matrices in the usual order, seen with rows and columns in place of each other where it is to be transposed. */
function matrices(record: Recorder, resources: Resources, value: string, stack: readonly number[], transpose: boolean): Operand {
  const [rows, columns] = record.shapeOf(value).slice(-2) as [number, number]
  const shape = [...stack, ...(transpose ? [columns, rows] : [rows, columns])]
  const strides = [...stack.map(() => rows * columns), ...(transpose ? [1, columns] : [columns, 1])]
  return { slot: record.plainSlot(value), descriptor: resources.strided(shape, strides) }
}

/** Extents of a layer from which on its operands are packed. */
const wide = 2560
const wideStraight = 512

/**
 * For products that nobody has measured: packing is faster than copying where the matrix of a layer is wide, and with neither operand
 * transposed, where rows of the right one are long; by up to a half, with version 2.6 on AVX-512.
 */
function isPacked(columns: number, leftShape: readonly number[], transposeA: boolean, transposeB: boolean): boolean {
  if (!transposeA && !transposeB && columns >= wideStraight) return true
  // Rows on the left are samples; all other extents belong to the layer.
  return columns >= wide || (leftShape[1] as number) >= wide
}

/** Whether a product packs its operands, where that was measured. */
function measured(products: Products, node: Node, record: Recorder): boolean | undefined {
  const shapes = node.inputs.map((id) => record.shapeOf(id))
  const formulation = products[productKey(node, shapes)]
  return formulation === undefined ? undefined : formulation === 'packed'
}

function isLarge(result: readonly number[], a: readonly number[] | undefined, transposeA: boolean): boolean {
  const inner = a?.at(transposeA ? -2 : -1) ?? 0
  return result.reduce((product, extent) => product * extent, inner) >= anchorSize
}

/** Inputs: A, B, bias. An activation that follows is applied by the same primitive. */
export const matmul: DnnRule<'matmul'> = {
  role: 'anchor',
  anchors: (node, [a]) => isLarge(node.shape.map(Number), a, node.attrs.transposeA),
  supports: () => true,
  emit({ node, record, resources, fusions, products }) {
    const [a, b, bias] = node.inputs as [string, string, string?]
    const { transposeA, transposeB } = node.attrs
    const activation = fusions.activationOf.get(node.id)
    const [rows, columns] = node.shape.map(Number) as [number, number]
    const src = matrices(record, resources, a, [], transposeA)
    const weights = matrices(record, resources, b, [], transposeB)
    const row = resources.plain([1, columns])
    const dst = resources.plain([rows, columns])
    const primitive = resources.primitive(
      {
        kind: 'matmul',
        packs: measured(products, node, record) ?? isPacked(columns, record.shapeOf(a), transposeA, transposeB),
        src: src.descriptor,
        weights: weights.descriptor,
        bias: bias === undefined ? null : row,
        dst,
      },
      activation?.op,
    )
    record.run(primitive, {
      src,
      weights,
      ...(bias === undefined ? {} : { bias: { slot: record.plainSlot(bias), descriptor: row } }),
      dst: { slot: record.defineNew(activation?.id ?? node.id), descriptor: dst },
    })
  },
}

/** Inputs: A, B, with the same leading extents. */
export const batchMatmul: DnnRule<'batchMatmul'> = {
  role: 'anchor',
  anchors: (node, [a]) => isLarge(node.shape.map(Number), a, node.attrs.transposeA),
  supports: () => true,
  emit({ node, record, resources, products }) {
    const [a, b] = node.inputs as [string, string]
    const { transposeA, transposeB, factor } = node.attrs
    const shape = node.shape.map(Number)
    const stack = [shape.slice(0, -2).reduce((product, extent) => product * extent, 1)]
    const src = matrices(record, resources, a, stack, transposeA)
    const weights = matrices(record, resources, b, stack, transposeB)
    const dst = resources.plain([...stack, ...shape.slice(-2)])
    const packs = measured(products, node, record) ?? false
    const operation = { kind: 'matmul', packs, src: src.descriptor, weights: weights.descriptor, bias: null, dst } as const
    const primitive = resources.primitive(operation, undefined, factor)
    record.run(primitive, { src, weights, dst: { slot: record.defineNew(node.id), descriptor: dst } })
  },
}
