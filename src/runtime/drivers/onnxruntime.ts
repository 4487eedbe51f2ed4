/**
 * Runs graphs on ONNX Runtime's CPU provider, with large matrix products on oneDNN where it is installed (see `../partition.ts`).
 * Tensors, feeds and fetches are made once in `bind`, over the caller's arrays, so a run reads and writes them in place. What passes
 * between the sessions of one graph lives in arrays of the executable. `session.run` blocks the calling thread although it returns a promise.
 * @packageDocumentation
 */
import * as ort from 'onnxruntime-node'
import { BackendError } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { storedShape } from '../../graph/tiles.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import { bufferFor, interfaceOf } from '../bind-buffers.ts'
import type { DriverOptions } from '../compile.ts'
import type { Bound, Buffers, Executable, TensorInfo } from '../executable.ts'
import { lowerGraph } from '../lower.ts'
import { loadOneDnn } from '../onednn.ts'
import type { OneDnn } from '../onednn.ts'
import type { OnnxBuilder, OnnxDType } from '../onnx.ts'
import { partition } from '../partition.ts'
import type { Step } from '../partition.ts'

/** A step with its session. */
type Prepared = Step & { readonly session?: ort.InferenceSession }

/** Compiles a bound graph. @throws {BackendError} BACKEND when ONNX Runtime refuses it */
export async function compileOnnxRuntime(graph: Graph, options: DriverOptions): Promise<Executable> {
  const { inputs, outputs } = interfaceOf(graph)
  const oneDnn = options.products === 'onednn' ? loadOneDnn() : undefined
  const onnx = lowerGraph(graph, { target: 'native', outsideProducts: oneDnn !== undefined })
  const shapeOf = (info: TensorInfo): readonly number[] => storedShape(info.shape, graph.tiles?.[info.name])
  const { steps, between } = await prepare(onnx, inputs.map((info) => tensorOf(info.dtype, shapeOf(info), info.name)), options)
  let isOpen = true
  const close = async (): Promise<void> => {
    if (!isOpen) return
    isOpen = false
    for (const { session } of steps) await session?.release()
  }
  const bind = (buffers: Buffers): Bound => {
    const tensors = new Map(between)
    for (const info of [...inputs, ...outputs]) tensors.set(info.name, tensorOver(bufferFor(info, buffers), info, shapeOf(info)))
    const calls = steps.map((step) => callOf(step, tensors, oneDnn))
    return {
      async run() {
        if (!isOpen) throw new BackendError('onnxruntime: the executable is closed — expected an open one (compile again)')
        oneDnn?.setThreads(options.intraOpThreads)
        try {
          for (const call of calls) await call()
        } catch (cause) {
          throw new BackendError(`onnxruntime: the graph failed while running — ${messageOf(cause)}`, {}, cause)
        }
      },
    }
  }
  return { inputs, outputs, bind, close, [Symbol.asyncDispose]: close }
}

/**
 * Creates the sessions in order. What one hands to later steps is learned by running it once on zeros: its type and shape, and the
 * tensor itself, which stays.
 */
async function prepare(
  onnx: OnnxBuilder,
  inputs: readonly (readonly [string, ort.Tensor])[],
  options: DriverOptions,
): Promise<{ steps: Prepared[]; between: Map<string, ort.Tensor> }> {
  const steps = partition(onnx)
  const [only] = steps
  if (steps.length === 1 && only?.kind === 'session') {
    return { steps: [{ ...only, session: await createSession(onnx.finish('graph'), options) }], between: new Map() }
  }
  const tensors = new Map(inputs)
  const prepared: Prepared[] = []
  for (const step of steps) {
    if (step.kind === 'product') {
      tensors.set(...tensorOf('float32', [step.shape.m, step.shape.n], step.c))
      prepared.push(step)
      continue
    }
    const known = step.inputs.map((name) => [name, tensors.get(name) as ort.Tensor] as const)
    const types = known.map(([name, { dims, type }]) => ({ name, shape: dims, type: type as OnnxDType }))
    const session = await createSession(onnx.part(step.nodes, types, step.outputs), options)
    for (const [name, tensor] of Object.entries(await session.run(Object.fromEntries(known)))) tensors.set(name, tensor)
    prepared.push({ ...step, session })
  }
  const outside = new Set([...onnx.inputNames, ...onnx.outputNames])
  return { steps: prepared, between: new Map([...tensors].filter(([name]) => !outside.has(name))) }
}

function callOf(step: Prepared, tensors: ReadonlyMap<string, ort.Tensor>, oneDnn: OneDnn | undefined): () => unknown {
  if (step.kind === 'product') {
    const [a, b, c] = [step.a, step.b, step.c].map((name) => tensors.get(name)?.data) as [Float32Array, Float32Array, Float32Array]
    return () => oneDnn?.multiply(step.shape, a, b, c)
  }
  const named = (names: readonly string[]): Record<string, ort.Tensor> =>
    Object.fromEntries(names.map((name) => [name, tensors.get(name) as ort.Tensor]))
  const feeds = named(step.inputs)
  const fetches = named(step.outputs)
  return () => step.session?.run(feeds, fetches)
}

async function createSession(model: Uint8Array, { intraOpThreads, arena }: DriverOptions): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(model, {
      executionProviders: ['cpu'],
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      intraOpNumThreads: intraOpThreads,
      interOpNumThreads: 1,
      enableCpuMemArena: arena,
      // Warnings of the optimiser about graphs that it folds are of no use to anybody here.
      logSeverityLevel: 3,
      // Threads that spin while they wait take the cores of other ranks.
      extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
    })
  } catch (cause) {
    throw new BackendError(`onnxruntime: the graph was refused — ${messageOf(cause)}`, {}, cause)
  }
}

function tensorOf(type: TensorInfo['dtype'], shape: readonly number[], name: string): readonly [string, ort.Tensor] {
  const length = shape.reduce((product, dim) => product * dim, 1)
  const data = type === 'int32' ? new Int32Array(length) : new Float32Array(length)
  return [name, new ort.Tensor(type, data as Float32Array, shape)]
}

function tensorOver(array: NumericArray, { dtype }: TensorInfo, shape: readonly number[]): ort.Tensor {
  return new ort.Tensor(dtype, array as Float32Array, shape)
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
