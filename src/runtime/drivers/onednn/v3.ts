/** Version 3 of oneDNN: descriptors are opaque objects of the library's, made by one call each. */
import type { Binding, Declare, NativeFunction } from './library.ts'
import { created } from './created.ts'
import { implementationNames, packing, wantsPacking } from './implementation.ts'
import { dims, strided } from './dims.ts'
import { algorithms, gradientAlgorithms, propagation, withScaleAndShift } from './operations.ts'
import type { Activation, NormFlags, Operation, Pointer } from './operations.ts'

const activations: Readonly<Record<Activation, number>> = { relu: 32, tanh: 33, sigmoid: 41, linear: 38, gelu: 49, silu: 44 }

function gradientOf(activation: Activation): number {
  return gradientAlgorithms[activation] ?? activations[activation]
}

function normFlags({ globalStatistics, scale, shift }: NormFlags): number {
  return (globalStatistics ? 1 : 0) | (scale ? 2 : 0) | (shift ? 4 : 0)
}

/** @param engine - The engine that the primitives run on */
export function bindVersion3(declare: Declare, engine: Pointer): Binding {
  const byTag = declare('int dnnl_memory_desc_create_with_tag(void *out, int rank, void *dims, int type, int tag)')
  const byStrides = declare('int dnnl_memory_desc_create_with_strides(void *out, int rank, void *dims, int type, void *strides)')
  const destroy = declare('int dnnl_memory_desc_destroy(void *descriptor)')
  const within = declare('int dnnl_memory_desc_create_submemory(void *out, void *parent, void *dims, void *offsets)')
  const append = declare('int dnnl_post_ops_append_eltwise(void *postOps, int algorithm, float alpha, float beta)')
  const next = declare('int32_t dnnl_primitive_desc_next_impl(void *descriptor)')
  const destroyOperation = declare('int dnnl_primitive_desc_destroy(void *descriptor)')
  const nameOf = implementationNames(declare)
  const make = makers(declare)
  const object = (create: (out: BigUint64Array) => void): ReturnType<Binding['describe']> => {
    const pointer = created(create)
    return { pointer, free: () => void destroy(pointer) }
  }
  return {
    asksForShift: false,
    describe(shape, strides) {
      return object((out) => {
        if (strides === undefined) byTag(out, shape.length, dims(shape), strided.float32, strided.any)
        else byStrides(out, shape.length, dims(shape), strided.float32, dims(strides))
      })
    },
    part: (whole, shape, offsets) => object((out) => within(out, whole, dims(shape), dims(offsets))),
    operation(operation, attributes) {
      const offer = (): Pointer => created((out) => create(make, out, engine, operation, attributes))
      const descriptor = offer()
      if (!wantsPacking(operation)) return descriptor
      do {
        if (nameOf(descriptor).includes(packing)) return descriptor
      } while (next(descriptor) === 0)
      destroyOperation(descriptor)
      return offer()
    },
    appendActivation: (postOps, activation, alpha) => {
      append(postOps, activations[activation], alpha, 0)
    },
  }
}

function makers(declare: Declare) {
  const window = 'void *strides, void *dilates, void *before, void *after'
  const pool = 'void *strides, void *kernel, void *dilates, void *before, void *after'
  return {
    convolution: declare(
      `int dnnl_convolution_forward_primitive_desc_create(void *out, void *engine, int prop, int alg, void *src, void *weights, void *bias, void *dst, ${window}, void *attr)`,
    ),
    data: declare(
      `int dnnl_convolution_backward_data_primitive_desc_create(void *out, void *engine, int alg, void *src, void *weights, void *dst, ${window}, void *hint, void *attr)`,
    ),
    weights: declare(
      `int dnnl_convolution_backward_weights_primitive_desc_create(void *out, void *engine, int alg, void *src, void *weights, void *bias, void *dst, ${window}, void *hint, void *attr)`,
    ),
    pool: declare(
      `int dnnl_pooling_forward_primitive_desc_create(void *out, void *engine, int prop, int alg, void *src, void *dst, ${pool}, void *attr)`,
    ),
    poolGradient: declare(
      `int dnnl_pooling_backward_primitive_desc_create(void *out, void *engine, int alg, void *src, void *dst, ${pool}, void *hint, void *attr)`,
    ),
    eltwise: declare(
      'int dnnl_eltwise_forward_primitive_desc_create(void *out, void *engine, int prop, int alg, void *src, void *dst, float alpha, float beta, void *attr)',
    ),
    eltwiseGradient: declare(
      'int dnnl_eltwise_backward_primitive_desc_create(void *out, void *engine, int alg, void *diffSrc, void *diffDst, void *data, float alpha, float beta, void *hint, void *attr)',
    ),
    binary: declare(
      'int dnnl_binary_primitive_desc_create(void *out, void *engine, int alg, void *left, void *right, void *dst, void *attr)',
    ),
    softmax: declare(
      'int dnnl_softmax_forward_primitive_desc_create(void *out, void *engine, int prop, int alg, void *src, void *dst, int dim, void *attr)',
    ),
    softmaxGradient: declare(
      'int dnnl_softmax_backward_primitive_desc_create(void *out, void *engine, int alg, void *diffSrc, void *diffDst, void *dst, int dim, void *hint, void *attr)',
    ),
    matmul: declare(
      'int dnnl_matmul_primitive_desc_create(void *out, void *engine, void *src, void *weights, void *bias, void *dst, void *attr)',
    ),
    layerNorm: declare(
      'int dnnl_layer_normalization_forward_primitive_desc_create(void *out, void *engine, int prop, void *src, void *dst, void *statistics, float epsilon, uint32_t flags, void *attr)',
    ),
    layerNormGradient: declare(
      'int dnnl_layer_normalization_backward_primitive_desc_create(void *out, void *engine, int prop, void *diffSrc, void *diffDst, void *src, void *statistics, float epsilon, uint32_t flags, void *hint, void *attr)',
    ),
    norm: declare(
      'int dnnl_batch_normalization_forward_primitive_desc_create(void *out, void *engine, int prop, void *src, void *dst, float epsilon, uint32_t flags, void *attr)',
    ),
    normGradient: declare(
      'int dnnl_batch_normalization_backward_primitive_desc_create(void *out, void *engine, int prop, void *diffSrc, void *diffDst, void *src, float epsilon, uint32_t flags, void *hint, void *attr)',
    ),
  } satisfies Record<string, NativeFunction>
}

function create(make: ReturnType<typeof makers>, out: BigUint64Array, engine: Pointer, op: Operation, attr: Pointer | null): void {
  switch (op.kind) {
    case 'convolution': {
      const prop = op.training ? propagation.training : propagation.inference
      make.convolution(out, engine, prop, algorithms.convolution, op.src, op.weights, op.bias, op.dst, ...windowOf(op), attr)
      break
    }
    case 'convolution-data':
      make.data(out, engine, algorithms.convolution, op.src, op.weights, op.dst, ...windowOf(op), op.hint, attr)
      break
    case 'convolution-weights':
      make.weights(out, engine, algorithms.convolution, op.src, op.weights, op.bias, op.dst, ...windowOf(op), op.hint, attr)
      break
    case 'pooling': {
      const prop = op.training ? propagation.training : propagation.inference
      make.pool(out, engine, prop, algorithms[op.method], op.src, op.dst, ...poolOf(op), attr)
      break
    }
    case 'pooling-gradient':
      make.poolGradient(out, engine, algorithms[op.method], op.src, op.dst, ...poolOf(op), op.hint, attr)
      break
    case 'eltwise':
      make.eltwise(out, engine, propagation.training, activations[op.activation], op.data, op.data, op.alpha, op.beta, attr)
      break
    case 'eltwise-gradient':
      make.eltwiseGradient(out, engine, gradientOf(op.activation), op.data, op.data, op.data, op.alpha, 0, op.hint, attr)
      break
    case 'binary':
      make.binary(out, engine, algorithms[op.operator], op.left, op.right, op.dst, attr)
      break
    case 'matmul':
      make.matmul(out, engine, op.src, op.weights, op.bias, op.dst, attr)
      break
    case 'softmax':
      make.softmax(out, engine, propagation.training, algorithms.softmax, op.data, op.data, op.dim, attr)
      break
    case 'softmax-gradient':
      make.softmaxGradient(out, engine, algorithms.softmax, op.data, op.data, op.data, op.dim, op.hint, attr)
      break
    case 'layer-norm':
      make.layerNorm(out, engine, propagation.training, op.data, op.data, op.statistics, op.epsilon, normFlags(withScaleAndShift), attr)
      break
    case 'layer-norm-gradient': {
      const flags = normFlags(withScaleAndShift)
      const { data, statistics, epsilon, hint } = op
      make.layerNormGradient(out, engine, propagation.backward, data, data, data, statistics, epsilon, flags, hint, attr)
      break
    }
    case 'normalisation': {
      const prop = op.training ? propagation.training : propagation.inference
      make.norm(out, engine, prop, op.data, op.data, op.epsilon, normFlags(op.flags), attr)
      break
    }
    case 'normalisation-gradient':
      make.normGradient(
        out,
        engine,
        propagation.backward,
        op.upstream,
        op.upstream,
        op.data,
        op.epsilon,
        normFlags(op.flags),
        op.hint,
        attr,
      )
      break
  }
}

function windowOf(op: Extract<Operation, { stride: readonly number[] }>): BigInt64Array[] {
  return [dims(op.stride), dims(op.dilation), dims(op.padding), dims(op.padding)]
}

function poolOf(op: Extract<Operation, { kernel: readonly number[] }>): BigInt64Array[] {
  return [dims(op.stride), dims(op.kernel), dims(op.dilation), dims(op.padding), dims(op.padding)]
}
