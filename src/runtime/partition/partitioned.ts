import { BackendError } from '../../errors.ts'
import type { Graph, NodeOf } from '../../graph/graph.ts'
import { simplify } from '../../graph/transforms/simplify.ts'
import type { OpName } from '../../graph/ops/attributes.ts'
import type { Products } from '../choice/driver-plan.ts'
import { bufferFor, interfaceOf } from '../bind-buffers.ts'
import { DnnError } from '../drivers/onednn/library.ts'
import { Resources } from '../drivers/onednn/resources.ts'
import { dnnRuleOf } from '../drivers/onednn/rules/table.ts'
import type { RememberedNorm, RememberedPool } from '../drivers/onednn/rules/rule.ts'
import type { Bound, Buffers, Executable } from '../executable.ts'
import { lowerGraph } from '../lower.ts'
import { OrtSession } from '../ort.ts'
import type { ArenaKind } from '../ort.ts'
import { takeTurn } from '../turn.ts'
import { assignSides } from './assign.ts'
import type { Assignment } from './assign.ts'
import { Block } from './block.ts'
import { planParts } from './parts.ts'
import { Recorder } from './recorder.ts'
import { bindSteps } from './bind-steps.ts'
import type { Step } from './step.ts'

/** Options of {@link compilePartitioned}. */
export interface PartitionOptions {
  readonly intraOpThreads: number
  /** Where intermediate values lie (default `own`); `none` concerns the sessions of ONNX Runtime alone. */
  readonly arena?: ArenaKind
  /** How measured products are computed; others go by their sizes. */
  readonly products?: Products
  /** Everything that oneDNN can run goes there, even where that does not pay (default false): for tests. */
  readonly eager?: boolean
}

/**
 * Compiles a bound graph to steps of two drivers: convolutions, large products of matrices and what lies around them run on oneDNN, images
 * in the orders of memory that its kernels like best from layer to layer, everything else in sessions of ONNX Runtime. One block holds all
 * values between the steps.
 * @throws {BackendError} BACKEND when oneDNN is not installed, or ONNX Runtime refuses a part
 * @param bound - With a bound batch size
 */
export async function compilePartitioned(bound: Graph, options: PartitionOptions): Promise<Executable> {
  const { inputs, outputs } = interfaceOf(bound)
  const graph = simplify(bound)
  const resources = new Resources()
  const sessions = new Map<Step, OrtSession>()
  const { intraOpThreads, arena = 'own' } = options
  let block: Block | undefined
  const close = async (): Promise<void> => {
    for (const session of sessions.values()) session.close()
    resources.close()
    block?.close()
  }
  try {
    // Kernels divide their work when they are made, not when they run.
    resources.library.setThreads(intraOpThreads)
    const steps = recordSteps(graph, resources, options)
    const parts = steps.filter((step) => step.kind === 'session')
    // Parts run one after the other, as segments do.
    const partArena = arena === 'own' && parts.length > 1 ? 'shared' : arena
    for (const part of parts) {
      const model = lowerGraph(part.graph, { target: 'native' }).finish('part')
      sessions.set(part, OrtSession.create(model, { intraOpThreads, arena: partArena }))
    }
    const memory = new Block(steps, arena === 'shared')
    block = memory
    const { functions, stream, setThreads } = resources.library
    const bind = (buffers: Buffers): Bound => {
      const arrays = new Map([
        ...inputs.map((info) => [`input ${info.name}`, bufferFor(info, buffers)] as const),
        ...outputs.map((info) => [`output ${info.name}`, bufferFor(info, buffers)] as const),
      ])
      // Addresses are taken at the first run: memory that is shared has its size when all executables are there.
      let place: object | undefined
      let run = (): void => {}
      return {
        async run() {
          if (!resources.isOpen) throw new BackendError('onednn: the executable is closed — expected an open one (compile again)')
          setThreads(intraOpThreads)
          if (place !== memory.place) {
            run = bindSteps(steps, { resources, sessions, block: memory, arrays })
            place = memory.place
          }
          run()
          functions.wait(stream)
          await takeTurn()
        },
      }
    }
    return { inputs, outputs, plan: { driver: 'onednn', products: options.products ?? {} }, bind, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Records all steps; nodes that oneDNN refuses go to ONNX Runtime, and the rest is planned again. */
function recordSteps(graph: Graph, resources: Resources, { eager, products = {} }: PartitionOptions): readonly Step[] {
  const excluded = new Set<string>()
  for (;;) {
    const refused = { node: '' }
    try {
      return record(
        graph,
        resources,
        assignSides(graph, { excluded, products, ...(eager === undefined ? {} : { eager }) }),
        products,
        refused,
      )
    } catch (error) {
      if (!(error instanceof DnnError && error.isUnimplemented) || refused.node === '') throw error
      excluded.add(refused.node)
    }
  }
}

function record(
  graph: Graph,
  resources: Resources,
  assignment: Assignment,
  products: Products,
  refused: { node: string },
): readonly Step[] {
  const recorder = new Recorder(graph, resources)
  const pools = new Map<string, RememberedPool>()
  const norms = new Map<string, RememberedNorm>()
  const uses = new Set(graph.nodes.flatMap((node) => node.inputs.map((id, i) => `${node.op} ${i} ${id}`)))
  const usedBy = (id: string, op: OpName, input: number): boolean => uses.has(`${op} ${input} ${id}`)
  const { fusions } = assignment
  const byId = new Map(graph.nodes.map((node) => [node.id, node]))
  for (const { side, nodes } of planParts(graph, assignment)) {
    if (side === 'onnxruntime') {
      recorder.session(nodes)
      continue
    }
    for (const node of nodes) {
      if (!fusions.absorbed.has(node.id)) {
        refused.node = node.id
        dnnRuleOf(node)?.emit({
          node: node as NodeOf<OpName>,
          record: recorder,
          resources,
          fusions,
          products,
          pools,
          norms,
          nodes: byId,
          usedBy,
        })
        refused.node = ''
      }
      recorder.settle(node.id)
    }
  }
  return recorder.finish()
}
