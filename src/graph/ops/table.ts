import { dropout, relu, reluGradient, sigmoid, sigmoidGradient, tanh, tanhGradient } from './activations.ts'
import { avgPool, avgPoolGradient } from './avg-pool.ts'
import { broadcastTo, reduceSum, reshape, transpose } from './arrange.ts'
import type { OpAttributes, OpName } from './attributes.ts'
import { batchMatmul } from './batch-matmul.ts'
import { binaryCrossEntropy, binaryCrossEntropyGradient } from './binary-cross-entropy.ts'
import {
  batchNorm,
  batchNormInputGradient,
  batchNormReductions,
  batchNormTrain,
  batchStatistics,
  runningStatisticStep,
} from './batch-norm.ts'
import { classCounts } from './class-counts.ts'
import { correctCount, logSoftmax, softmax, softmaxCrossEntropy, softmaxCrossEntropyGradient, softmaxGradient } from './classification.ts'
import { constant, equals } from './constant.ts'
import { conv, convFilterGradient, convInputGradient } from './conv.ts'
import { add, div, fill, mul, scale, sub } from './elementwise.ts'
import { embedding, embeddingGradient } from './embedding.ts'
import { gru } from './gru.ts'
import { gruGates, gruGradient, gruRecurrentGradient, gruStateGradient } from './gru-gradient.ts'
import { layerNorm, layerNormGainGradient, layerNormGradient } from './layer-norm.ts'
import { lstm } from './lstm.ts'
import { lstmGates, lstmGradient, lstmStateGradient } from './lstm-gradient.ts'
import { matmul } from './matmul.ts'
import { modulo, neighbourSum } from './neighbour-sum.ts'
import { maxPool, maxPoolGradient } from './max-pool.ts'
import { concat, pad, slice } from './pieces.ts'
import { reduceMax, reduceMaxGradient, reduceMean } from './reduce.ts'
import type { OpRule } from './rule.ts'
import { gelu, geluGradient, leakyRelu, leakyReluGradient, silu, siluGradient } from './smooth-activations.ts'
import { abs, absGradient, clip, clipGradient, erf, exp, log, reciprocal, sqrt, square } from './unary.ts'
import { upsample } from './upsample.ts'

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
  softmaxGradient,
  logSoftmax,
  conv,
  convInputGradient,
  convFilterGradient,
  avgPool,
  avgPoolGradient,
  maxPool,
  maxPoolGradient,
  upsample,
  batchNorm,
  batchNormTrain,
  batchStatistics,
  batchNormReductions,
  batchNormInputGradient,
  runningStatisticStep,
  softmaxCrossEntropy,
  softmaxCrossEntropyGradient,
  correctCount,
  classCounts,
  binaryCrossEntropy,
  binaryCrossEntropyGradient,
  exp,
  log,
  sqrt,
  reciprocal,
  erf,
  abs,
  absGradient,
  square,
  clip,
  clipGradient,
  gelu,
  geluGradient,
  silu,
  siluGradient,
  leakyRelu,
  leakyReluGradient,
  constant,
  equals,
  batchMatmul,
  reduceMean,
  reduceMax,
  reduceMaxGradient,
  concat,
  slice,
  pad,
  neighbourSum,
  modulo,
  embedding,
  embeddingGradient,
  layerNorm,
  layerNormGradient,
  layerNormGainGradient,
  lstm,
  lstmGates,
  lstmGradient,
  lstmStateGradient,
  gru,
  gruGates,
  gruGradient,
  gruRecurrentGradient,
  gruStateGradient,
} satisfies { readonly [O in OpName]: OpRule<OpAttributes[O]> }

/** The rule of an operator whose name is only known when the graph is read; its attributes are the node's. */
export function ruleOf(op: OpName): OpRule<OpAttributes[OpName]> {
  return ops[op] as unknown as OpRule<OpAttributes[OpName]>
}
