/** Pools and their gradients. */
import type { PoolAttributes } from '../../../../graph/ops/attributes.ts'
import type { Recorder } from '../../../partition/recorder.ts'
import type { Descriptor } from '../operations.ts'
import type { Primitive, Resources } from '../resources.ts'
import { inputsOf, isImage } from './rule.ts'
import type { DnnRule, EmitContext, RememberedPool } from './rule.ts'

type Method = 'maximum' | 'mean'

/** Finds a forward pool: mean pools by the shape that they pool, maximum pools by the value. */
function keyOf(method: Method, what: string, { kernel, stride, padding }: PoolAttributes): string {
  return JSON.stringify([method, what, kernel, stride, padding])
}

function operationOf(method: Method, { kernel, stride, padding }: PoolAttributes) {
  return { method, kernel, stride, padding, dilation: kernel.map(() => 0) }
}

function forward(
  resources: Resources,
  method: Method,
  src: Descriptor,
  pooled: readonly number[],
  attrs: PoolAttributes,
  training: boolean,
) {
  return resources.primitive({ kind: 'pooling', training, src, dst: resources.any(pooled), ...operationOf(method, attrs) })
}

/** Runs a pool forwards, and remembers what its gradient needs. */
function runForward(
  record: Recorder,
  primitive: Primitive,
  image: string,
  dst: (descriptor: Descriptor) => ReturnType<Recorder['write']>,
): RememberedPool {
  const descriptor = primitive.query('workspace')
  const workspace = descriptor === undefined ? undefined : record.temporary(descriptor)
  record.run(primitive, {
    src: record.read(image, primitive.query('src') ?? 0n),
    ...(workspace === undefined ? {} : { workspace }),
    dst: dst(primitive.query('dst') ?? 0n),
  })
  return { primitive, workspace }
}

function emitPool(context: EmitContext<'maxPool'> | EmitContext<'avgPool'>, method: Method): void {
  const { node, record, resources, pools, usedBy } = context
  const [image] = inputsOf(node)
  const training = method === 'mean' || usedBy(image, 'maxPoolGradient', 0)
  const primitive = forward(resources, method, record.orderOf(image), node.shape.map(Number), node.attrs, training)
  const remembered = runForward(record, primitive, image, (descriptor) => record.write(node.id, descriptor))
  const what = method === 'mean' ? record.shapeOf(image).join() : image
  pools.set(keyOf(method, what, node.attrs), remembered)
}

function emitGradient(
  { node, record, resources }: EmitContext<'maxPoolGradient'> | EmitContext<'avgPoolGradient'>,
  method: Method,
  upstream: string,
  { primitive: pool, workspace }: RememberedPool,
): void {
  const primitive = resources.primitive({
    kind: 'pooling-gradient',
    src: pool.query('src') ?? 0n,
    dst: pool.query('dst') ?? 0n,
    hint: pool.operation,
    ...operationOf(method, node.attrs),
  })
  record.run(primitive, {
    diffDst: record.read(upstream, primitive.query('diffDst') ?? 0n),
    ...(workspace === undefined ? {} : { workspace }),
    diffSrc: record.write(node.id, primitive.query('diffSrc') ?? 0n),
  })
}

const supports = (_: unknown, shapes: readonly (readonly number[])[]): boolean => shapes.every(isImage)

/** Inputs: image. */
export const maxPool: DnnRule<'maxPool'> = { role: 'follower', supports, emit: (context) => emitPool(context, 'maximum') }

/** Inputs: image. */
export const avgPool: DnnRule<'avgPool'> = { role: 'follower', supports, emit: (context) => emitPool(context, 'mean') }

/** Inputs: image, dL/dy. Where the forward pool is not part of the graph, it runs again for the places of its maxima. */
export const maxPoolGradient: DnnRule<'maxPoolGradient'> = {
  role: 'follower',
  supports,
  emit(context) {
    const { node, record, resources, pools } = context
    const [image, upstream] = inputsOf(node)
    const key = keyOf('maximum', image, node.attrs)
    const again = (): RememberedPool => {
      const primitive = forward(resources, 'maximum', record.orderOf(image), record.shapeOf(upstream), node.attrs, true)
      return runForward(record, primitive, image, (descriptor) => record.temporary(descriptor))
    }
    const pool = pools.get(key) ?? again()
    pools.set(key, pool)
    emitGradient(context, 'maximum', upstream, pool)
  },
}

/** Inputs: dL/dy. */
export const avgPoolGradient: DnnRule<'avgPoolGradient'> = {
  role: 'follower',
  supports,
  emit(context) {
    const { node, record, resources, pools } = context
    const [upstream] = inputsOf(node)
    const shape = node.shape.map(Number)
    const known = pools.get(keyOf('mean', shape.join(), node.attrs))
    const made = (): RememberedPool => ({
      primitive: forward(resources, 'mean', resources.imageOrder(shape), record.shapeOf(upstream), node.attrs, true),
      workspace: undefined,
    })
    emitGradient(context, 'mean', upstream, known ?? made())
  },
}
