import type { Node } from '../../../../graph/graph.ts'
import type { OpName } from '../../../../graph/ops/attributes.ts'
import { concat, pad, reshape, slice } from './arrange.ts'
import { batchNorm, batchNormReductions, batchNormTrain, batchStatistics } from './batch-norm.ts'
import { conv, convFilterGradient, convInputGradient } from './conv.ts'
import { add, div, dropout, mul, relu, reluGradient, scale, sigmoid, sigmoidGradient, sub, tanh, tanhGradient } from './elementwise.ts'
import { avgPool, avgPoolGradient, maxPool, maxPoolGradient } from './pool.ts'
import type { DnnRule, DnnRules } from './rule.ts'

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
  relu,
  reluGradient,
  tanh,
  tanhGradient,
  sigmoid,
  sigmoidGradient,
  scale,
  add,
  sub,
  mul,
  div,
  dropout,
  reshape,
  concat,
  slice,
  pad,
}

/** The rule of a node's operator, if there is one. */
export function dnnRuleOf(node: Node): DnnRule<OpName> | undefined {
  return dnnRules[node.op] as DnnRule<OpName> | undefined
}
