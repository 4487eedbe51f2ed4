import { dropout, relu, reluGradient, sigmoid, sigmoidGradient, tanh, tanhGradient } from './activations.ts'
import { broadcastTo, reduceSum, reshape, transpose } from './arrange.ts'
import type { OpAttributes, OpName } from './attributes.ts'
import { correctCount, logSoftmax, softmax, softmaxCrossEntropy, softmaxCrossEntropyGradient } from './classification.ts'
import { conv2d, conv2dFilterGradient, conv2dInputGradient } from './conv2d.ts'
import { add, div, fill, mul, scale, sub } from './elementwise.ts'
import { matmul } from './matmul.ts'
import { avgPool, avgPoolGradient, maxPool, maxPoolGradient } from './pool.ts'
import type { OpRule } from './rule.ts'

/** Every operator. A new one is an entry of {@link OpAttributes}, a rule, a row here and its cases in the tests. */
export const ops = {
  matmul,
  add,
  sub,
  mul,
  div,
  scale,
  fill,
  relu,
  reluGradient,
  tanh,
  tanhGradient,
  sigmoid,
  sigmoidGradient,
  dropout,
  reshape,
  transpose,
  reduceSum,
  broadcastTo,
  softmax,
  logSoftmax,
  conv2d,
  conv2dInputGradient,
  conv2dFilterGradient,
  avgPool,
  avgPoolGradient,
  maxPool,
  maxPoolGradient,
  softmaxCrossEntropy,
  softmaxCrossEntropyGradient,
  correctCount,
} satisfies { readonly [O in OpName]: OpRule<OpAttributes[O]> }

/** The rule of an operator whose name is only known when the graph is read; its attributes are the node's. */
export function ruleOf(op: OpName): OpRule<OpAttributes[OpName]> {
  return ops[op] as unknown as OpRule<OpAttributes[OpName]>
}
