import type { Node, NodeOf } from '../../../../graph/graph.ts'
import type { OpName } from '../../../../graph/ops/attributes.ts'
import { concat, pad, reshape, slice, transpose } from './arrange.ts'
import { batchNorm, batchNormReductions, batchNormTrain, batchStatistics } from './batch-norm.ts'
import { conv, convFilterGradient, convInputGradient } from './conv.ts'
import { activations, add, div, dropout, mul, scale, sub } from './elementwise.ts'
import { softmaxCrossEntropy, softmaxCrossEntropyGradient } from './cross-entropy.ts'
import { layerNorm, layerNormGradient } from './layer-norm.ts'
import { batchMatmul, matmul } from './matmul.ts'
import { avgPool, avgPoolGradient, maxPool, maxPoolGradient } from './pool.ts'
import { reduceSum } from './reduce.ts'
import type { DnnRule, DnnRules } from './rule.ts'
import { softmax, softmaxGradient } from './softmax.ts'

/** Every operator that oneDNN can run. */
export const dnnRules: DnnRules = {
  conv,
  convInputGradient,
  convFilterGradient,
  maxPool,
  maxPoolGradient,
  avgPool,
  avgPoolGradient,
  batchNorm,
  batchNormTrain,
  batchStatistics,
  batchNormReductions,
  layerNorm,
  layerNormGradient,
  matmul,
  batchMatmul,
  softmax,
  softmaxGradient,
  softmaxCrossEntropy,
  softmaxCrossEntropyGradient,
  reduceSum,
  ...activations,
  scale,
  add,
  sub,
  mul,
  div,
  dropout,
  reshape,
  transpose,
  concat,
  slice,
  pad,
}

/** The rule of a node's operator, if there is one. */
export function dnnRuleOf(node: Node): DnnRule<OpName> | undefined {
  return dnnRules[node.op] as DnnRule<OpName> | undefined
}

/** True for a node that is worth leaving ONNX Runtime for. */
export function isAnchor(node: Node, shapes: readonly (readonly number[])[]): boolean {
  const rule = dnnRuleOf(node)
  return rule?.role === 'anchor' && (rule.anchors?.(node as NodeOf<OpName>, shapes) ?? true)
}
