import { bindShape, elementCount, gradientPrefix } from '../../src/graph/graph.ts'
import { kernelsFor } from '../../src/kernels/load.ts'
import { arrayConstructor } from '../../src/memory/dtype.ts'
import type { NumericArray } from '../../src/memory/dtype.ts'
import { Segment } from '../../src/memory/segment.ts'
import { initialise } from '../../src/nn/initialise.ts'
import { trainingGraph } from '../../src/nn/training-graph.ts'
import { u } from '../../src/rng.ts'
import { compile } from '../../src/runtime/compile.ts'
import type { DriverName } from '../../src/runtime/compile.ts'
import type { Bound, Executable } from '../../src/runtime/executable.ts'
import type { ArenaKind } from '../../src/runtime/ort.ts'
import { countBytes } from '../../src/train/buffers.ts'
import { layoutParameters, viewsByName } from '../../src/train/layout.ts'
import { applyRule, makeSlots } from '../../src/train/update-rule.ts'
import { backwardOrder } from '../../src/graph/transforms/bucket.ts'
import { cut } from '../../src/graph/transforms/cut.ts'
import { sparseRows } from '../../src/graph/transforms/sparse-rows.ts'
import { touchedRows, withRowSums } from '../../src/train/row-gradients.ts'
import type { ModelCase } from './cases.ts'

/** A training step that can be repeated: forward, backward, update over one segment, as a rank runs it. */
export interface TrainingStep extends AsyncDisposable {
  run(): Promise<void>
  /** Loss of the last step. */
  readonly loss: Float32Array
}

/** How a step is compiled. */
export interface StepOptions {
  readonly driver: DriverName
  readonly intraOpThreads: number
  /** Layers that a stage of the cut model begins with; without them it is not cut. */
  readonly boundaries?: readonly string[]
  /** Default `own`. */
  readonly arena?: ArenaKind
}

/** Compiles a case and fills its inputs with reproducible values. */
export async function prepareStep(each: ModelCase, options: StepOptions): Promise<TrainingStep> {
  const { driver, intraOpThreads, boundaries, arena = 'own' } = options
  const { batchSize, loss: lossName, optimizer, classes, ids = 1 } = each
  const model = each.model()
  const dense = trainingGraph(model, lossName)
  const layout = layoutParameters(model.parameters, [backwardOrder(dense)])
  const { graph, uses } = sparseRows(dense, batchSize)
  const graphs = boundaries === undefined ? [graph] : cut(graph, boundaries).segments.map((segment) => segment.graph)
  const slots = makeSlots(optimizer, () => new Float32Array(0)).length
  const rowBytes = countBytes((allocate) => {
    for (const { name, shape, dtype } of graphs.flatMap(({ outputs }) => outputs)) {
      if (!name.startsWith(gradientPrefix)) allocate(dtype, elementCount(bindShape(shape, batchSize)), name)
    }
  })
  const segment = Segment.create((2 + slots) * (4 * layout.length + 4096) + rowBytes + 65_536, each.name)
  const flat = (label: string): Float32Array<ArrayBuffer> => segment.allocate('float32', layout.length, label)
  const [parameters, gradients] = [flat('parameters'), flat('gradients')]
  const state = makeSlots(optimizer, flat)
  initialise(model.parameters, 1, viewsByName(layout, parameters))
  const loss = new Float32Array(1)
  const arrays: Record<string, NumericArray> = { loss }
  for (const [name, view] of Object.entries(viewsByName(layout, parameters))) arrays[`param:${name}`] = view
  for (const [name, view] of Object.entries(viewsByName(layout, gradients))) arrays[`gradient:${name}`] = view
  graph.inputs.forEach(({ name, shape, dtype }, i) => {
    if (arrays[name] !== undefined) return
    const below = name === 'target' ? classes : ids
    const value = (j: number): number => {
      if (name === 'weight') return 1
      if (name.startsWith('mask:')) return 2 * Math.round(u(1, 2, i, j))
      if (name.startsWith('carry:')) return 0
      return dtype === 'int32' ? Math.floor(below * u(1, 3, i, j)) : u(1, 3, i, j)
    }
    arrays[name] = new (arrayConstructor(dtype))(elementCount(bindShape(shape, batchSize))).map((_, j) => value(j)) as NumericArray
  })
  const target = arrays.target as NumericArray
  if (lossName === 'binary-cross-entropy') target.set(Float32Array.from(target, Math.round))
  arrays.divisor?.fill(lossName === 'cross-entropy' ? target.length : batchSize)
  const executables: Executable[] = []
  const bound: Bound[] = []
  for (const piece of graphs) {
    const executable = await compile(piece, { batchSize, driver, intraOpThreads, arena })
    executables.push(executable)
    for (const { name, dtype, length } of executable.outputs) arrays[name] ??= segment.allocate(dtype, length, name)
    bound.push(executable.bind(arrays))
  }
  const runAll = async (): Promise<void> => {
    for (const piece of bound) await piece.run()
  }
  const kernels = kernelsFor(segment)
  const touched = touchedRows(uses, arrays, layout, optimizer)
  const compute = withRowSums(runAll, uses, arrays, kernels, touched)
  let step = 0
  return {
    loss,
    async run() {
      await compute()
      step++
      applyRule(kernels, optimizer, layout, parameters, gradients, state, optimizer.learningRate, step, 0, layout.length, loss[0], touched)
    },
    async [Symbol.asyncDispose]() {
      for (const executable of executables) await executable.close()
      segment.close()
    },
  }
}
