/** Version 2 of oneDNN: descriptors of memory and of operations are structures of the caller's, filled in by `…_init` functions. */
import koffi from 'koffi'
import type { Binding, Declare, NativeFunction } from './library.ts'
import { created } from './created.ts'
import { implementationNames, packing, wantsPacking } from './implementation.ts'
import { dims, strided } from './dims.ts'
import { algorithms, gradientAlgorithms, propagation, withScaleAndShift } from './operations.ts'
import type { Activation, NormFlags, Operation, Pointer } from './operations.ts'

/** More than any version 2 needs (696 and at most 15,344 bytes in 2.6). */
const memoryDescriptorBytes = 1024
const operationBytes = 32_768

const activations: Readonly<Record<Activation, number>> = { relu: 31, tanh: 47, sigmoid: 175, linear: 127, gelu: 48, silu: 223 }

function normFlags({ globalStatistics, scale, shift }: NormFlags): number {
  return (globalStatistics ? 1 : 0) | (scale ? 8 : 0) | (shift ? 16 : 0)
}

/** @param engine - The engine that the primitives run on */
export function bindVersion2(declare: Declare, engine: Pointer): Binding {
  const byTag = declare('int dnnl_memory_desc_init_by_tag(void *out, int rank, void *dims, int type, int tag)')
  const byStrides = declare('int dnnl_memory_desc_init_by_strides(void *out, int rank, void *dims, int type, void *strides)')
  const create = declare('int dnnl_primitive_desc_create(void *out, void *operation, void *attr, void *engine, void *hint)')
  const append = declare('int dnnl_post_ops_append_eltwise(void *postOps, float scale, int algorithm, float alpha, float beta)')
  const within = declare('int dnnl_memory_desc_init_submemory(void *out, void *parent, void *dims, void *offsets)')
  const iterate = declare('int dnnl_primitive_desc_iterator_create(void *out, void *operation, void *attr, void *engine, void *hint)')
  const next = declare('int32_t dnnl_primitive_desc_iterator_next(void *iterator)')
  const fetch = declare('void *dnnl_primitive_desc_iterator_fetch(void *iterator)')
  const destroyIterator = declare('int dnnl_primitive_desc_iterator_destroy(void *iterator)')
  const destroy = declare('int dnnl_primitive_desc_destroy(void *descriptor)')
  const nameOf = implementationNames(declare)
  const init = initFunctions(declare)
  // One thread, one call at a time: the structure is copied by the library.
  const scratch = new Uint8Array(operationBytes)
  return {
    asksForShift: true,
    describe(shape, strides) {
      return structure((out) => {
        if (strides === undefined) byTag(out, shape.length, dims(shape), strided.float32, strided.any)
        else byStrides(out, shape.length, dims(shape), strided.float32, dims(strides))
      })
    },
    part: (whole, shape, offsets) => structure((out) => within(out, whole, dims(shape), dims(offsets))),
    operation(operation, attributes) {
      fill(init, scratch, operation)
      if (wantsPacking(operation)) {
        const iterator = created((out) => iterate(out, scratch, attributes, engine, null))
        try {
          do {
            const descriptor = fetch(iterator) as Pointer
            if (nameOf(descriptor).includes(packing)) return descriptor
            destroy(descriptor)
          } while (next(iterator) === 0)
        } finally {
          destroyIterator(iterator)
        }
      }
      return created((out) => create(out, scratch, attributes, engine, 'hint' in operation ? operation.hint : null))
    },
    appendActivation: (postOps, activation, alpha) => {
      append(postOps, 1, activations[activation], alpha, 0)
    },
  }
}

/** A descriptor in memory of ours, which the returned object keeps from being collected. */
function structure(init: (out: Uint8Array) => void): ReturnType<Binding['describe']> {
  let kept: Uint8Array | undefined = new Uint8Array(memoryDescriptorBytes)
  init(kept)
  return {
    pointer: koffi.address(kept) as Pointer,
    free() {
      if (kept !== undefined) kept = undefined
    },
  }
}

type InitFunctions = ReturnType<typeof initFunctions>

function initFunctions(declare: Declare) {
  const window = 'void *strides, void *dilates, void *before, void *after'
  const pool = 'void *strides, void *kernel, void *dilates, void *before, void *after'
  return {
    convolution: declare(
      `int dnnl_dilated_convolution_forward_desc_init(void *out, int prop, int alg, void *src, void *weights, void *bias, void *dst, ${window})`,
    ),
    data: declare(
      `int dnnl_dilated_convolution_backward_data_desc_init(void *out, int alg, void *src, void *weights, void *dst, ${window})`,
    ),
    weights: declare(
      `int dnnl_dilated_convolution_backward_weights_desc_init(void *out, int alg, void *src, void *weights, void *bias, void *dst, ${window})`,
    ),
    pool: declare(`int dnnl_pooling_v2_forward_desc_init(void *out, int prop, int alg, void *src, void *dst, ${pool})`),
    poolGradient: declare(`int dnnl_pooling_v2_backward_desc_init(void *out, int alg, void *src, void *dst, ${pool})`),
    eltwise: declare('int dnnl_eltwise_forward_desc_init(void *out, int prop, int alg, void *data, float alpha, float beta)'),
    eltwiseGradient: declare('int dnnl_eltwise_backward_desc_init(void *out, int alg, void *diff, void *data, float alpha, float beta)'),
    binary: declare('int dnnl_binary_desc_init(void *out, int alg, void *left, void *right, void *dst)'),
    softmax: declare('int dnnl_softmax_v2_forward_desc_init(void *out, int prop, int alg, void *src, void *dst, int dim)'),
    softmaxGradient: declare(
      'int dnnl_softmax_v2_backward_desc_init(void *out, int alg, void *diffSrc, void *diffDst, void *dst, int dim)',
    ),
    matmul: declare('int dnnl_matmul_desc_init(void *out, void *src, void *weights, void *bias, void *dst)'),
    layerNorm: declare(
      'int dnnl_layer_normalization_forward_desc_init(void *out, int prop, void *data, void *statistics, float epsilon, uint32_t flags)',
    ),
    layerNormGradient: declare(
      'int dnnl_layer_normalization_backward_desc_init(void *out, int prop, void *diff, void *data, void *statistics, float epsilon, uint32_t flags)',
    ),
    norm: declare('int dnnl_batch_normalization_forward_desc_init(void *out, int prop, void *data, float epsilon, uint32_t flags)'),
    normGradient: declare(
      'int dnnl_batch_normalization_backward_desc_init(void *out, int prop, void *diff, void *data, float epsilon, uint32_t flags)',
    ),
  } satisfies Record<string, NativeFunction>
}

function fill(init: InitFunctions, out: Uint8Array, op: Operation): void {
  switch (op.kind) {
    case 'convolution': {
      const prop = op.training ? propagation.training : propagation.inference
      init.convolution(out, prop, algorithms.convolution, op.src, op.weights, op.bias, op.dst, ...windowOf(op))
      break
    }
    case 'convolution-data':
      init.data(out, algorithms.convolution, op.src, op.weights, op.dst, ...windowOf(op))
      break
    case 'convolution-weights':
      init.weights(out, algorithms.convolution, op.src, op.weights, op.bias, op.dst, ...windowOf(op))
      break
    case 'pooling': {
      const prop = op.training ? propagation.training : propagation.inference
      init.pool(out, prop, algorithms[op.method], op.src, op.dst, ...poolOf(op))
      break
    }
    case 'pooling-gradient':
      init.poolGradient(out, algorithms[op.method], op.src, op.dst, ...poolOf(op))
      break
    case 'eltwise':
      init.eltwise(out, propagation.training, activations[op.activation], op.data, op.alpha, op.beta)
      break
    case 'eltwise-gradient':
      init.eltwiseGradient(out, gradientAlgorithms[op.activation] ?? activations[op.activation], op.data, op.data, op.alpha, 0)
      break
    case 'binary':
      init.binary(out, algorithms[op.operator], op.left, op.right, op.dst)
      break
    case 'matmul':
      init.matmul(out, op.src, op.weights, op.bias, op.dst)
      break
    case 'softmax':
      init.softmax(out, propagation.training, algorithms.softmax, op.data, op.data, op.dim)
      break
    case 'softmax-gradient':
      init.softmaxGradient(out, algorithms.softmax, op.data, op.data, op.data, op.dim)
      break
    case 'layer-norm':
      init.layerNorm(out, propagation.training, op.data, op.statistics, op.epsilon, normFlags(withScaleAndShift))
      break
    case 'layer-norm-gradient':
      init.layerNormGradient(out, propagation.backward, op.data, op.data, op.statistics, op.epsilon, normFlags(withScaleAndShift))
      break
    case 'normalisation': {
      const prop = op.training ? propagation.training : propagation.inference
      init.norm(out, prop, op.data, op.epsilon, normFlags(op.flags))
      break
    }
    case 'normalisation-gradient':
      init.normGradient(out, propagation.backward, op.upstream, op.data, op.epsilon, normFlags(op.flags))
      break
  }
}

function windowOf(op: Extract<Operation, { stride: readonly number[] }>): BigInt64Array[] {
  return [dims(op.stride), dims(op.dilation), dims(op.padding), dims(op.padding)]
}

function poolOf(op: Extract<Operation, { kernel: readonly number[] }>): BigInt64Array[] {
  return [dims(op.stride), dims(op.kernel), dims(op.dilation), dims(op.padding), dims(op.padding)]
}
