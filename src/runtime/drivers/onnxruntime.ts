/**
 * Runs graphs on ONNX Runtime's CPU provider. Tensors, feeds and fetches are made once in `bind`, over the caller's arrays, so a run
 * reads and writes them in place. `session.run` blocks the calling thread although it returns a promise.
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

/** Compiles a bound graph to a session. @throws {BackendError} BACKEND when ONNX Runtime refuses it */
export async function compileOnnxRuntime(graph: Graph, options: DriverOptions): Promise<Executable> {
  const { inputs, outputs } = interfaceOf(graph)
  const model = lowerGraph(graph, { target: 'native' })
  const session = await createSession(model, options)
  let isOpen = true
  const close = async (): Promise<void> => {
    if (!isOpen) return
    isOpen = false
    await session.release()
  }
  const bind = (buffers: Buffers): Bound => {
    const tensors = (infos: readonly TensorInfo[]): Record<string, ort.Tensor> =>
      Object.fromEntries(infos.map((info) => [info.name, tensorOver(bufferFor(info, buffers), info, storedShape(info.shape, graph.tiles?.[info.name]))]))
    const feeds = tensors(inputs)
    const fetches = tensors(outputs)
    return {
      async run() {
        if (!isOpen) throw new BackendError('onnxruntime: the executable is closed — expected an open one (compile again)')
        try {
          await session.run(feeds, fetches)
        } catch (cause) {
          throw new BackendError(`onnxruntime: the graph failed while running — ${messageOf(cause)}`, {}, cause)
        }
      },
    }
  }
  return { inputs, outputs, bind, close, [Symbol.asyncDispose]: close }
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

function tensorOver(array: NumericArray, { dtype }: TensorInfo, shape: readonly number[]): ort.Tensor {
  return new ort.Tensor(dtype, array as Float32Array, shape)
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
