import type { Reader } from '../step.ts'
import * as activations from './activations.ts'
import * as arithmetic from './arithmetic.ts'
import * as arrange from './arrange.ts'
import { conv, convTranspose } from './conv.ts'
import { gemm, matMul } from './matmul.ts'
import { batchNormalization, groupNormalization, instanceNormalization, layerNormalization } from './normalise.ts'
import { concat, gather, pad, slice, split } from './pieces.ts'
import { averagePool, globalPool, maxPool, resize } from './pool.ts'
import { gru, lstm } from './recurrent.ts'
import { reductions } from './reduce.ts'

const same: Reader = (step) => step.operand(0)

/** Readers of standard operators on computed values. */
export const readers: Readonly<Record<string, Reader>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  Gemm: gemm,
  MatMul: matMul,
  Add: arithmetic.add,
  Sub: arithmetic.sub,
  Mul: arithmetic.mul,
  Div: arithmetic.div,
  Neg: arithmetic.neg,
  Mod: arithmetic.mod,
  Pow: arithmetic.pow,
  Sum: arithmetic.sum,
  Mean: arithmetic.mean,
  Max: arithmetic.extreme('max'),
  Min: arithmetic.extreme('min'),
  Clip: arithmetic.clip,
  Equal: arithmetic.equal,
  Not: arithmetic.not,
  And: arithmetic.and,
  Where: arithmetic.where,
  Cast: arithmetic.cast,
  Sqrt: arithmetic.plain('sqrt'),
  Exp: arithmetic.plain('exp'),
  Log: arithmetic.plain('log'),
  Erf: arithmetic.plain('erf'),
  Abs: arithmetic.plain('abs'),
  Reciprocal: arithmetic.plain('reciprocal'),
  Relu: arithmetic.plain('relu'),
  Sigmoid: arithmetic.plain('sigmoid'),
  Tanh: arithmetic.plain('tanh'),
  LeakyRelu: activations.leakyRelu,
  PRelu: activations.pRelu,
  Gelu: activations.gelu,
  HardSigmoid: activations.hardSigmoid,
  HardSwish: activations.hardSwish,
  Elu: activations.elu,
  Selu: activations.selu,
  Softplus: activations.softplus,
  Mish: activations.mish,
  Softmax: activations.alongAxis('softmax'),
  LogSoftmax: activations.alongAxis('logSoftmax'),
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalPool('reduceMean'),
  GlobalMaxPool: globalPool('reduceMax'),
  Resize: resize,
  Upsample: resize,
  LSTM: lstm,
  GRU: gru,
  ...reductions,
  Shape: arrange.shape,
  Size: arrange.size,
  Reshape: arrange.reshape,
  Flatten: arrange.flatten,
  Transpose: arrange.transpose,
  Unsqueeze: arrange.unsqueeze,
  Squeeze: arrange.squeeze,
  Expand: arrange.expand,
  Tile: arrange.tile,
  ConstantOfShape: arrange.constantOfShape,
  Concat: concat,
  Slice: slice,
  Split: split,
  Pad: pad,
  Gather: gather,
  Identity: same,
  Dropout: same,
}

/** Readers of ONNX Runtime's own operators (domain com.microsoft), which optimised files contain. */
export const runtimeReaders: Readonly<Record<string, Reader>> = { Gelu: activations.gelu }
