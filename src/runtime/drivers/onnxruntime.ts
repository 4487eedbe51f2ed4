/**
 * Runs graphs on ONNX Runtime's CPU provider: one session for each executable. Tensors are made once in `bind`, over the caller's arrays,
 * so a run reads and writes them in place and allocates nothing.
 * @packageDocumentation
 */
import type { Graph } from '../../graph/graph.ts'
import { storedShape } from '../../graph/layouts.ts'
import { bufferFor, interfaceOf } from '../bind-buffers.ts'
import type { DriverOptions } from '../compile.ts'
import type { Bound, Buffers, Executable, TensorInfo } from '../executable.ts'
import { lowerGraph } from '../lower.ts'
import { OrtSession } from '../ort.ts'
import type { OrtTensor } from '../ort.ts'
import { takeTurn } from '../turn.ts'

/** Compiles a bound graph to a session. @throws {BackendError} BACKEND when ONNX Runtime refuses it */
export async function compileOnnxRuntime(graph: Graph, options: DriverOptions): Promise<Executable> {
  const { inputs, outputs } = interfaceOf(graph)
  const session = OrtSession.create(lowerGraph(graph, { target: 'native' }).finish('graph'), options)
  const close = async (): Promise<void> => session.close()
  const bind = (buffers: Buffers): Bound => {
    const tensors = (infos: readonly TensorInfo[]): Map<string, OrtTensor> =>
      new Map(
        infos.map((info) => {
          const shape = storedShape(info.shape, graph.layouts?.[info.name])
          return [info.name, { shape, type: info.dtype, data: bufferFor(info, buffers) }]
        }),
      )
    const call = session.bind(tensors(inputs), tensors(outputs))
    return {
      async run() {
        call()
        await takeTurn()
      },
    }
  }
  return { inputs, outputs, plan: { driver: 'onnxruntime' }, bind, close, [Symbol.asyncDispose]: close }
}
