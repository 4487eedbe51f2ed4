/** Activations. */
import type { Value } from '../../../graph/builder.ts'
import { elementCount } from '../../../graph/graph.ts'
import { onlyElement } from '../operand.ts'
import type { Reader, Step } from '../step.ts'

export const leakyRelu: Reader = (step) => step.add('leakyRelu', [step.value(0)], { slope: step.attributes.float('alpha', 0.01) })

/** x where x > 0, else slope·x, with a slope for every channel. */
export const pRelu: Reader = (step) => {
  const x = step.value(0)
  const slope = onlyElement(step.inputs[1])
  const isShared = elementCount(step.shape(1).map(Number)) === 1
  if (isShared && slope !== undefined) return step.add('leakyRelu', [x], { slope })
  const below = step.add('relu', [negative(step, x)], {})
  return step.add('sub', [step.add('relu', [x], {}), step.add('mul', [step.parameter(1, 'gain'), below], {})], {})
}

function negative(step: Step, x: Value): Value {
  return step.add('scale', [x], { factor: -1 })
}

/** Exact, or by the hyperbolic tangent: x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³))). */
export const gelu: Reader = (step) => {
  const x = step.value(0)
  if (step.attributes.string('approximate', 'none') === 'none') return step.add('gelu', [x], {})
  const cube = step.add('mul', [x, step.add('square', [x], {})], {})
  const inner = step.add('add', [x, step.add('scale', [cube], { factor: 0.044715 })], {})
  const bent = step.add('tanh', [step.add('scale', [inner], { factor: Math.sqrt(2 / Math.PI) })], {})
  return step.add('mul', [step.add('scale', [x], { factor: 0.5 }), step.add('add', [bent, step.constant([1])], {})], {})
}

function straight(step: Step, x: Value, alpha: number, beta: number): Value {
  const line = step.add('add', [step.add('scale', [x], { factor: alpha }), step.constant([beta])], {})
  return step.add('clip', [line], { min: 0, max: 1 })
}

/** α·x + β between 0 and 1. */
export const hardSigmoid: Reader = (step) =>
  straight(step, step.value(0), step.attributes.float('alpha', 0.2), step.attributes.float('beta', 0.5))

/** x times a hard sigmoid. */
export const hardSwish: Reader = (step) => step.add('mul', [step.value(0), straight(step, step.value(0), 1 / 6, 0.5)], {})

/** x where x > 0, else α·(e^x − 1). */
export const elu: Reader = (step) => exponential(step, step.attributes.float('alpha', 1), 1)

/** γ·elu(x) */
export const selu: Reader = (step) =>
  exponential(step, step.attributes.float('alpha', 1.6732632423543772), step.attributes.float('gamma', 1.0507009873554805))

function exponential(step: Step, alpha: number, gamma: number): Value {
  const x = step.value(0)
  const below = step.add('exp', [negative(step, step.add('relu', [negative(step, x)], {}))], {})
  const bent = step.add('scale', [step.add('sub', [below, step.constant([1])], {})], { factor: alpha })
  const sum = step.add('add', [step.add('relu', [x], {}), bent], {})
  return gamma === 1 ? sum : step.add('scale', [sum], { factor: gamma })
}

/** log(1 + e^x), as max(x, 0) + log(1 + e^−|x|), which does not overflow. */
export const softplus: Reader = (step) => softplusOf(step, step.value(0))

function softplusOf(step: Step, x: Value): Value {
  const tail = step.add('exp', [negative(step, step.add('abs', [x], {}))], {})
  return step.add('add', [step.add('relu', [x], {}), step.add('log', [step.add('add', [tail, step.constant([1])], {})], {})], {})
}

/** x·tanh(softplus x) */
export const mish: Reader = (step) => step.add('mul', [step.value(0), step.add('tanh', [softplusOf(step, step.value(0))], {})], {})

/** Along any axis; ours work along the last. */
export function alongAxis(op: 'softmax' | 'logSoftmax'): Reader {
  return (step) => {
    const x = step.value(0)
    const rank = x.shape.length
    const given = step.attributes.int('axis', -1)
    const axis = given < 0 ? given + rank : given
    const swapped = Array.from({ length: rank }, (_, d) => (d === axis ? rank - 1 : d === rank - 1 ? axis : d))
    return step.transpose(step.add(op, [step.transpose(x, swapped)], {}), swapped)
  }
}
