import type { Kernels } from '../kernels/kernels.ts'
import { type OptimizerSpec, slotsOf } from '../nn/optimizer-spec.ts'
import type { ParameterLayout, ParameterRange } from './layout.ts'
import { lbfgsUpdate } from './lbfgs.ts'
import type { TouchedRows } from './row-gradients.ts'

type Flat = Float32Array<ArrayBuffer>

/** The optimiser's state arrays, as long as the parameters, made by `make` in the order in which its rule takes them, with their first values. */
export function makeSlots(optimizer: OptimizerSpec, make: (name: string) => Flat): Flat[] {
  return slotsOf(optimizer).map(({ name, initial }) => {
    const slot = make(name)
    return initial === 0 ? slot : slot.fill(initial)
  })
}

/**
 * Applies an update rule to the elements `[start, end)` of the flat parameters, on a worker or at a store alike. `update` counts from 1.
 * The layout says which parts decay, which are running statistics (w ← w − g, whatever the optimiser). A rule may use the gradient
 * as scratch memory.
 * @param loss - At the parameters, for rules that search along a line
 * @param touched - Tables of which only these rows are visited, with [start, end) the whole; their gradient is zero afterwards
 */
export function applyRule(
  kernels: Kernels,
  optimizer: OptimizerSpec,
  layout: ParameterLayout,
  parameters: Flat,
  gradient: Flat,
  slots: readonly Flat[],
  learningRate: number,
  update: number,
  start: number,
  end: number,
  loss = Number.NaN,
  touched?: readonly TouchedRows[],
): void {
  if (optimizer.kind === 'lbfgs') {
    const whole = (flat: Flat): Flat => flat.subarray(start, end)
    lbfgsUpdate(kernels, optimizer, whole(parameters), whole(gradient), slots.map(whole), loss)
    return
  }
  const layerwise = optimizer.kind === 'lars' || optimizer.kind === 'lamb'
  for (const part of partsOf(layout, start, end, optimizer.weightDecay === 0, layerwise, touched)) {
    const w = parameters.subarray(part.start, part.end)
    const g = gradient.subarray(part.start, part.end)
    const ofPart = slots.map((slot) => slot.subarray(part.start, part.end))
    if (part.update === 'statistic') kernels.sgd(w, g, 1, 0)
    else if (part.touched !== undefined) applyToRows(kernels, optimizer, w, g, ofPart, learningRate, part.touched)
    else applyToPart(kernels, optimizer, w, g, ofPart, learningRate, update, part.decay)
  }
}

/** True for a rule that leaves a parameter and its slots exactly as they are where the gradient is zero: rows that nobody used can be passed over. */
export function passesOverZeros(optimizer: OptimizerSpec, { update, decay }: Pick<ParameterRange, 'update' | 'decay'>): boolean {
  if (update !== 'optimizer' || (decay && optimizer.weightDecay !== 0)) return false
  return optimizer.kind === 'adagrad' || (optimizer.kind === 'sgd' && optimizer.momentum === 0)
}

interface Part {
  readonly start: number
  end: number
  readonly update: ParameterRange['update']
  readonly decay: boolean
  /** Of a table of which only some rows are visited. */
  readonly touched?: TouchedRows
}

/** Parts that were worked out before, by tables or layout and by what they depend on: a step works nothing out. */
const known = new WeakMap<object, Map<string, readonly Part[]>>()

/** The elements `[start, end)` in as few parts as the rule allows: neighbours that are treated alike are one. */
function partsOf(
  layout: ParameterLayout,
  start: number,
  end: number,
  decaysNothing: boolean,
  layerwise: boolean,
  touched?: readonly TouchedRows[],
): readonly Part[] {
  const key = `${start} ${end} ${decaysNothing} ${layerwise}`
  const owner = touched ?? layout
  const ofOwner = known.get(owner) ?? new Map<string, readonly Part[]>()
  const before = ofOwner.get(key)
  if (before !== undefined) return before
  const parts: Part[] = []
  known.set(owner, ofOwner.set(key, parts))
  for (const range of layout.ranges) {
    const from = Math.max(start, range.offset)
    const to = Math.min(end, range.offset + range.length)
    if (from >= to) continue
    const table = touched?.find((each) => each.range.name === range.name)
    if (table !== undefined) {
      parts.push({ start: from, end: to, update: range.update, decay: range.decay, touched: table })
      continue
    }
    const last = parts.at(-1)
    const alike = last !== undefined && last.update === range.update && (decaysNothing || last.decay === range.decay)
    if (alike && !layerwise && last.touched === undefined) last.end = to
    else parts.push({ start: from, end: to, update: range.update, decay: range.decay })
  }
  return parts
}

function applyToRows(
  kernels: Kernels,
  optimizer: OptimizerSpec,
  w: Flat,
  g: Flat,
  slots: readonly Flat[],
  learningRate: number,
  { range, numbers }: TouchedRows,
): void {
  const width = range.shape[1] as number
  for (const rows of numbers) {
    if (optimizer.kind === 'adagrad') kernels.adagradRows(w, g, slots[0] as Flat, rows, width, learningRate, optimizer.epsilon)
    else kernels.sgdRows(w, g, rows, width, learningRate)
  }
}

function applyToPart(
  kernels: Kernels,
  optimizer: Exclude<OptimizerSpec, { kind: 'lbfgs' }>,
  w: Flat,
  g: Flat,
  slots: readonly Flat[],
  learningRate: number,
  update: number,
  decays: boolean,
): void {
  const decay = decays ? optimizer.weightDecay : 0
  const [first, second, third] = slots
  switch (optimizer.kind) {
    case 'sgd':
      if (first === undefined) kernels.sgd(w, g, learningRate, decay)
      else kernels.momentum(w, g, first, learningRate, optimizer.momentum, decay, optimizer.nesterov)
      return
    case 'adam': {
      const { beta1, beta2, epsilon, decoupled } = optimizer
      kernels.adam(w, g, first as Flat, second as Flat, learningRate, beta1, beta2, epsilon, update, decay, decoupled)
      return
    }
    case 'adagrad':
      kernels.adagrad(w, g, first as Flat, learningRate, optimizer.epsilon, decay)
      return
    case 'rmsprop': {
      const { decay: rho, epsilon, epsilonPlacement, centered, momentum } = optimizer
      const [epsilonInside, epsilonOutside] = epsilonPlacement === 'inside' ? [epsilon, 0] : [0, epsilon]
      const velocity = momentum > 0 ? (centered ? third : second) : undefined
      const constants = { learningRate, rho, epsilonInside, epsilonOutside, momentum, decay }
      kernels.rmsprop(w, g, first as Flat, centered ? second : undefined, velocity, constants)
      return
    }
    case 'lars': {
      // v ← momentum·v + rate·λ·(g + decay·w), w ← w − v, with λ = η·|w| / (|g| + decay·|w|).
      const [ofWeight, ofGradient] = [norm(kernels, w), norm(kernels, g)]
      const lambda = decays && ofWeight > 0 && ofGradient > 0 ? (optimizer.trust * ofWeight) / (ofGradient + decay * ofWeight) : 1
      if (decay > 0) kernels.axpy(decay, w, g)
      kernels.scale(learningRate * lambda, g)
      kernels.momentum(w, g, first as Flat, 1, optimizer.momentum, 0, false)
      return
    }
    case 'lamb': {
      const { beta1, beta2, epsilon } = optimizer
      kernels.adamDirection(w, g, first as Flat, second as Flat, beta1, beta2, epsilon, update, decay)
      const [ofWeight, ofDirection] = [norm(kernels, w), norm(kernels, g)]
      kernels.sgd(w, g, decays && ofWeight > 0 && ofDirection > 0 ? (learningRate * ofWeight) / ofDirection : learningRate, 0)
    }
  }
}

function norm(kernels: Kernels, values: Flat): number {
  return Math.sqrt(kernels.dot(values, values))
}
