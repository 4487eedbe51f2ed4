import { ConfigError } from '../errors.ts'
import { GraphBuilder } from '../graph/builder.ts'
import { carriedPrefix, outputNamed, parameterPrefix } from '../graph/graph.ts'
import type { NodeOf } from '../graph/graph.ts'
import { prune } from '../graph/prune.ts'
import { shown } from '../option-checks.ts'
import { initialise } from './initialise.ts'
import { Model } from './model.ts'
import type { InputShapes } from './model.ts'
import { init, parameterLength } from './parameter.ts'
import type { ParameterSpec } from './parameter.ts'

/** A model and the values of its parameters. */
export interface Weighted<I extends InputShapes = InputShapes> {
  readonly model: Model<I>
  readonly values: Readonly<Record<string, Float32Array>>
}

/**
 * The model with another last layer: what its last dense layer reads goes into a new one, `head`, for other classes; what came after the old one is
 * left out. The new weight is He-normal, its bias zero; everything else keeps its values.
 * @param classes - Outputs of the new layer
 * @param seed - Of the first values of the new layer (default 1)
 * @throws {ConfigError} CONFIG when there is no dense layer with a weight of its own, or `classes` is no positive integer
 */
export function replaceHead<I extends InputShapes>(
  { model, values }: Weighted<I>,
  classes: number,
  seed = 1,
): { readonly model: Model<I>; readonly values: Record<string, Float32Array> } {
  if (!Number.isInteger(classes) || classes < 1) {
    throw new ConfigError(`replaceHead: the classes cannot be used — expected a positive integer, got ${shown(classes)}`)
  }
  const old = lastDense(model)
  const carried = model.graph.outputs.filter(({ name }) => name.startsWith(carriedPrefix))
  const body = prune({ ...model.graph, outputs: [...carried, { ...old, name: 'features', value: old.inputs[0] as string }] })
  const stays = new Set(body.inputs.map((input) => input.name))
  const kept = model.parameters.filter((spec) => stays.has(parameterPrefix + spec.name))
  const builder = GraphBuilder.from(body)
  const x = builder.value(old.inputs[0] as string)
  const name = freeName(kept)
  const rows = old.attrs.transposeA ? builder.add('transpose', [x], { permutation: [1, 0] }, name) : x
  const specs: ParameterSpec[] = [
    { name: `${name}.weight`, shape: [classes, Number(rows.shape[1])], init: init.heNormal(), decay: true },
    { name: `${name}.bias`, shape: [classes], init: init.zeros(), decay: false },
  ]
  const inputs = specs.map((spec) => builder.input(parameterPrefix + spec.name, spec.shape, 'float32'))
  builder.output('output', builder.add('matmul', [rows, ...inputs], { transposeA: false, transposeB: true }, name))
  for (const output of carried) builder.output(output.name, builder.value(output.value))
  const parameters = [...kept, ...specs]
  const fresh = Object.fromEntries(specs.map((spec) => [spec.name, new Float32Array(parameterLength(spec))]))
  initialise(specs, seed, fresh)
  const own = Object.fromEntries(kept.map((spec) => [spec.name, values[spec.name] as Float32Array]))
  return { model: new Model({ ...model.toJSON(), inputs: model.inputs, graph: builder.build(), parameters }), values: { ...own, ...fresh } }
}

/** The last product with a matrix of weights before the output. @throws {ConfigError} CONFIG when there is none */
function lastDense(model: Model): NodeOf<'matmul'> {
  const nodes = new Map(model.graph.nodes.map((node) => [node.id, node]))
  const parameters = new Set(model.parameters.map((spec) => parameterPrefix + spec.name))
  let reach = [outputNamed(model.graph, 'output').value]
  const seen = new Set<string>()
  while (reach.length > 0) {
    // Level by level from the output: the first that is met is the last that computes.
    const found = reach.map((id) => nodes.get(id)).find((node) => node?.op === 'matmul' && parameters.has(node.inputs[1] as string))
    if (found !== undefined) return found as NodeOf<'matmul'>
    for (const id of reach) seen.add(id)
    reach = reach.flatMap((id) => nodes.get(id)?.inputs ?? []).filter((id) => !seen.has(id))
  }
  throw new ConfigError(`replaceHead: ${model.name} has no dense layer — expected one before the output, whose input a new one can read`)
}

/** `head`, unless a layer that stays is called so. */
function freeName(kept: readonly ParameterSpec[]): string {
  const taken = new Set(kept.map((spec) => spec.name))
  let name = 'head'
  for (let n = 2; taken.has(`${name}.weight`) || taken.has(`${name}.bias`); n++) name = `head-${n}`
  return name
}
