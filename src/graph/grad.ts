import { ConfigError } from '../errors.ts'
import type { GraphBuilder, Value } from './builder.ts'
import type { Node } from './graph.ts'
import type { OpAttributes, OpName } from './ops/attributes.ts'
import { ruleOf } from './ops/table.ts'

/**
 * Adds the gradient of a scalar to the graph: one walk over the nodes in reverse, each handing its upstream gradient to its inputs by
 * the rule of its operator. Only nodes on a path from a wanted value to the loss are visited.
 *
 * @param loss - A scalar of `builder`
 * @param wanted - Values to differentiate with respect to, usually parameters
 * @returns One gradient per wanted value, of its shape; zeros where the loss does not depend on it
 * @throws {ConfigError} CONFIG when the loss is no scalar or an operator on the way has no gradient
 */
export function grad(builder: GraphBuilder, loss: Value, wanted: readonly Value[]): Value[] {
  if (loss.shape.length !== 0)
    throw new ConfigError(`grad: the loss cannot be differentiated — expected a scalar, got [${loss.shape.join(', ')}]`)
  const forward = [...builder.nodes]
  const depends = dependents(forward, new Set(wanted.map((value) => value.id)))
  const gradients = new Map<string, Value>()
  const contribute = (id: string, gradient: Value, layer: string | undefined): void => {
    const sum = gradients.get(id)
    gradients.set(id, sum === undefined ? gradient : builder.add('add', [sum, gradient], {}, layer))
  }
  if (depends.has(loss.id)) contribute(loss.id, builder.add('fill', [], { value: 1, shape: [] }), undefined)
  for (const node of forward.reverse()) {
    const upstream = gradients.get(node.id)
    if (upstream === undefined || !node.inputs.some((input) => depends.has(input))) continue
    const rule = ruleOf(node.op)
    if (rule.gradient === undefined) {
      throw new ConfigError(`${node.layer ?? node.op}: ${node.op} cannot be differentiated — expected an operator with a gradient rule`)
    }
    const parts = rule.gradient({
      add: (op, inputs, attrs) => addSimplified(builder, op, inputs, attrs, node.layer),
      inputs: node.inputs.map((id) => builder.value(id)),
      output: builder.value(node.id),
      upstream,
      attrs: node.attrs,
      needs: (input) => depends.has(node.inputs[input] ?? ''),
    })
    node.inputs.forEach((id, i) => {
      const part = parts[i]
      if (part !== undefined && depends.has(id)) contribute(id, part, node.layer)
    })
  }
  return wanted.map((value) => gradients.get(value.id) ?? builder.add('fill', [], { value: 0, shape: value.shape }))
}

/** Values that depend on one of `roots`, and the roots. */
function dependents(nodes: readonly Node[], roots: ReadonlySet<string>): Set<string> {
  const found = new Set(roots)
  for (const node of nodes) if (node.inputs.some((input) => found.has(input))) found.add(node.id)
  return found
}

/** Leaves out products with the constant 1 that starts the walk. */
function addSimplified<O extends OpName>(
  builder: GraphBuilder,
  op: O,
  inputs: readonly Value[],
  attrs: OpAttributes[O],
  layer: string | undefined,
): Value {
  if (op === 'mul') {
    const [a, b] = inputs as [Value, Value]
    const isOne = (value: Value): boolean => {
      const node = builder.node(value.id)
      return node?.op === 'fill' && node.attrs.value === 1 && node.shape.length === 0
    }
    if (isOne(b)) return a
    if (isOne(a)) return b
  }
  return builder.add(op, inputs, attrs, layer)
}
