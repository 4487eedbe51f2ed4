import { describe, expect, test } from 'vitest'
import { plainKernels } from '../kernels/plain.ts'
import { optim } from '../nn/optim.ts'
import type { LbfgsSpec } from '../nn/optimizer-spec.ts'
import { lbfgsAccepted, lbfgsUpdate } from './lbfgs.ts'
import { makeSlots } from './update-rule.ts'

type Objective = (w: Float32Array, g: Float32Array) => number

/** Rosenbrock's valley: curved, with its minimum 0 at (1, 1). */
const rosenbrock: Objective = (w, g) => {
  const [x, y] = w as unknown as [number, number]
  g[0] = -2 * (1 - x) - 400 * x * (y - x * x)
  g[1] = 200 * (y - x * x)
  return (1 - x) ** 2 + 100 * (y - x * x) ** 2
}

/** Σ i·(wᵢ − 1)² over sixteen elements: condition number 16. */
const bowl: Objective = (w, g) =>
  w.reduce((sum, value, i) => {
    g[i] = 2 * (i + 1) * (value - 1)
    return sum + (i + 1) * (value - 1) ** 2
  }, 0)

function minimise(objective: Objective, start: readonly number[], spec: LbfgsSpec, evaluations: number): { w: number[]; losses: number[] } {
  const w = new Float32Array(16)
  w.set(start)
  const g = new Float32Array(16)
  const slots = makeSlots(spec, () => new Float32Array(16))
  const losses: number[] = []
  for (let n = 0; n < evaluations; n++) {
    g.fill(0)
    const loss = objective(w, g)
    losses.push(loss)
    lbfgsUpdate(plainKernels, spec, w, g, slots, loss)
  }
  return { w: [...lbfgsAccepted(slots)], losses }
}

describe('L-BFGS', () => {
  test('solves a bowl in a few evaluations', () => {
    const { w, losses } = minimise(bowl, new Array<number>(16).fill(0), optim.lbfgs(), 40)
    for (const value of w) expect(value).toBeCloseTo(1, 4)
    expect(losses.at(-1)).toBeLessThan(1e-8 * (losses[0] as number))
  })

  test('finds its way through a curved valley', () => {
    const { w } = minimise(rosenbrock, [-1.2, 1], optim.lbfgs({ history: 5 }), 80)
    expect(w[0]).toBeCloseTo(1, 3)
    expect(w[1]).toBeCloseTo(1, 3)
  })

  test('never accepts a point that is worse', () => {
    const spec = optim.lbfgs({ history: 3 })
    const w = Float32Array.from([-1.2, 1, ...new Array<number>(14).fill(0)])
    const g = new Float32Array(16)
    const slots = makeSlots(spec, () => new Float32Array(16))
    const scratch = new Float32Array(16)
    let best = Number.POSITIVE_INFINITY
    for (let n = 0; n < 60; n++) {
      lbfgsUpdate(plainKernels, spec, w, g, slots, rosenbrock(w, g))
      const accepted = rosenbrock(lbfgsAccepted(slots), scratch)
      expect(accepted).toBeLessThanOrEqual(best * (1 + 1e-5))
      best = accepted
    }
    expect(best).toBeLessThan(0.1)
  })

  test('takes the penalty of weight decay into loss and gradient', () => {
    const { w } = minimise(bowl, new Array<number>(16).fill(0), optim.lbfgs({ weightDecay: 2 }), 60)
    // Minimum of (i + 1)·(w − 1)² + w²: (i + 1) / (i + 2).
    w.forEach((value, i) => {
      expect(value).toBeCloseTo((i + 1) / (i + 2), 4)
    })
  })
})
