/**
 * Runs graphs on ONNX Runtime's CPU provider, with large matrix products on oneDNN where it is installed (see `../partition.ts`).
 * Tensors are made once in `bind`, over the caller's arrays, so a run reads and writes them in place and allocates nothing. What passes
 * between the steps of one graph lives in arrays of the executable.
 * @packageDocumentation
 */
import { setImmediate } from 'node:timers/promises'
import { BackendError } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { storedShape } from '../../graph/tiles.ts'
import { bufferFor, interfaceOf } from '../bind-buffers.ts'
import type { DriverOptions } from '../compile.ts'
import type { Bound, Buffers, Executable, TensorInfo } from '../executable.ts'
import { lowerGraph } from '../lower.ts'
import { loadOneDnn } from '../onednn.ts'
import type { OneDnn } from '../onednn.ts'
import type { OnnxBuilder, OnnxDType, OnnxValue } from '../onnx.ts'
import { OrtSession } from '../ort.ts'
import type { OrtTensor } from '../ort.ts'
import { partition } from '../partition.ts'
import type { Step } from '../partition.ts'

/** A step with its session. */
type Prepared = Step & { readonly session?: OrtSession }

/** For how long runs follow each other before timers, messages and signals of the thread get their turn. */
const turnMs = 10

let lastTurn = 0

/** Compiles a bound graph. @throws {BackendError} BACKEND when ONNX Runtime refuses it */
export async function compileOnnxRuntime(graph: Graph, options: DriverOptions): Promise<Executable> {
  const { inputs, outputs } = interfaceOf(graph)
  const oneDnn = options.products === 'onednn' ? loadOneDnn() : undefined
  const onnx = lowerGraph(graph, { target: 'native', outsideProducts: oneDnn !== undefined })
  const valueOf = ({ name, dtype, shape }: TensorInfo): OnnxValue => ({ name, type: dtype, shape: storedShape(shape, graph.tiles?.[name]) })
  const { steps, between } = prepare(onnx, inputs.map(valueOf), options)
  let isOpen = true
  const close = async (): Promise<void> => {
    isOpen = false
    for (const { session } of steps) session?.close()
  }
  const bind = (buffers: Buffers): Bound => {
    const tensors = new Map(between)
    for (const info of [...inputs, ...outputs]) tensors.set(info.name, { ...valueOf(info), data: bufferFor(info, buffers) })
    const calls = steps.map((step) => callOf(step, tensors, oneDnn))
    return {
      async run() {
        if (!isOpen) throw new BackendError('onnxruntime: the executable is closed — expected an open one (compile again)')
        oneDnn?.setThreads(options.intraOpThreads)
        for (const call of calls) call()
        const now = performance.now()
        if (now - lastTurn > turnMs) {
          await setImmediate()
          lastTurn = performance.now()
        }
      },
    }
  }
  return { inputs, outputs, bind, close, [Symbol.asyncDispose]: close }
}

/** Creates the sessions in order: each knows the types of what earlier steps hand to it. */
function prepare(onnx: OnnxBuilder, inputs: readonly OnnxValue[], options: DriverOptions): { steps: Prepared[]; between: Map<string, OrtTensor> } {
  const values = new Map(inputs.map((value) => [value.name, value]))
  const steps = partition(onnx).map((step): Prepared => {
    if (step.kind === 'product') {
      values.set(step.c, { name: step.c, type: 'float32', shape: [step.shape.m, step.shape.n] })
      return step
    }
    const known = step.inputs.map((name) => values.get(name) as OnnxValue)
    const session = OrtSession.create(onnx.part(step.nodes, known, step.outputs), options)
    for (const value of session.outputs(step.outputs)) values.set(value.name, value)
    return { ...step, session }
  })
  const outside = new Set([...onnx.inputNames, ...onnx.outputNames])
  const between = new Map<string, OrtTensor>()
  for (const [name, value] of values) if (!outside.has(name)) between.set(name, { ...value, data: allocate(value) })
  return { steps, between }
}

function callOf(step: Prepared, tensors: ReadonlyMap<string, OrtTensor>, oneDnn: OneDnn | undefined): () => void {
  if (step.kind === 'product') {
    const [a, b, c] = [step.a, step.b, step.c].map((name) => tensors.get(name)?.data) as [Float32Array, Float32Array, Float32Array]
    return () => oneDnn?.multiply(step.shape, a, b, c)
  }
  const named = (names: readonly string[]): Map<string, OrtTensor> => new Map(names.map((name) => [name, tensors.get(name) as OrtTensor]))
  const { session } = step
  if (session === undefined) throw new BackendError('onnxruntime: a step has no session — expected one for every part')
  return session.bind(named(step.inputs), named(step.outputs))
}

const bytesOfElement = { float32: 4, float64: 8, int32: 4, int64: 8, uint8: 1, bool: 1 } as const satisfies Record<OnnxDType, number>

function allocate({ type, shape }: OnnxValue): Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer> {
  const length = shape.reduce((product, dim) => product * dim, 1)
  return type === 'float32' ? new Float32Array(length) : new Uint8Array(length * bytesOfElement[type])
}
