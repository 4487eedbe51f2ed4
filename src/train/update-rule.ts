import type { Kernels } from '../kernels/kernels.ts'
import { type OptimizerSpec, slotNames } from '../nn/optim.ts'
import type { ParameterLayout } from './layout.ts'

type Flat = Float32Array<ArrayBuffer>

/** The optimiser's state arrays, as long as the parameters, made by `make` in the order of their names. */
export function makeSlots(optimizer: OptimizerSpec, make: (name: string) => Flat): Flat[] {
  return slotNames(optimizer).map(make)
}

/**
 * Applies an update rule to the elements `[start, end)` of the flat parameters, on a worker or at a store alike. `update` counts from 1.
 * Weight decay follows the layout's table: ranges that are exempt are updated without it.
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
): void {
  if (optimizer.weightDecay === 0) return apply(start, end, 0)
  for (const range of layout.ranges) {
    const from = Math.max(start, range.offset)
    const to = Math.min(end, range.offset + range.length)
    if (from < to) apply(from, to, range.decay ? optimizer.weightDecay : 0)
  }

  function apply(from: number, to: number, decay: number): void {
    const w = parameters.subarray(from, to)
    const g = gradient.subarray(from, to)
    const [first, second] = slots.map((slot) => slot.subarray(from, to))
    if (optimizer.kind === 'sgd') {
      if (first === undefined) kernels.sgd(w, g, learningRate, decay)
      else kernels.momentum(w, g, first, learningRate, optimizer.momentum, decay, optimizer.nesterov)
    } else if (first !== undefined && second !== undefined) {
      const { beta1, beta2, epsilon, decoupled } = optimizer
      kernels.adam(w, g, first, second, learningRate, beta1, beta2, epsilon, update, decay, decoupled)
    }
  }
}
