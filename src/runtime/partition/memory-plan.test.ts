import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planMemory } from './memory-plan.ts'
import type { CopyStep, Slot, Step } from './step.ts'

/** A chain of copies: what each writes is read by the next, and some by a later one too. */
function chain(sizes: readonly number[], reach: readonly number[]): { slots: Slot[]; steps: CopyStep[] } {
  const slots = sizes.map((bytes) => ({ bytes }))
  const steps: CopyStep[] = []
  slots.forEach((to, n) => {
    const back = Math.max(0, n - 1 - (reach[n] ?? 0))
    steps.push({ kind: 'copy', from: n === 0 ? { bytes: 1, bound: 'input x' } : (slots[back] as Slot), to })
  })
  return { slots, steps }
}

test('slots that are needed at the same time never overlap, and none lies outside', () => {
  const extents = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(extents, fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 30, maxLength: 30 }), (sizes, reach) => {
      const { slots, steps } = chain(sizes, reach)
      const plan = planMemory(steps)
      const spans = slots.map((slot) => {
        const used = steps.flatMap((step, n) => (step.from === slot || step.to === slot ? [n] : []))
        return [used[0] as number, used.at(-1) as number] as const
      })
      slots.forEach((slot, a) => {
        expect(plan.offsetOf(slot) % 64).toBe(0)
        expect(plan.offsetOf(slot) + slot.bytes).toBeLessThanOrEqual(plan.bytes)
        for (let b = 0; b < a; b++) {
          const [other, mine, theirs] = [slots[b] as Slot, spans[a] as readonly [number, number], spans[b] as readonly [number, number]]
          if (mine[0] > theirs[1] || theirs[0] > mine[1]) continue
          const isApart =
            plan.offsetOf(slot) >= plan.offsetOf(other) + other.bytes || plan.offsetOf(other) >= plan.offsetOf(slot) + slot.bytes
          expect(isApart, `slots ${a} and ${b}`).toBe(true)
        }
      })
    }),
  )
})

test('a long chain needs the memory of two neighbours', () => {
  const { steps } = chain(new Array<number>(20).fill(640), new Array<number>(20).fill(0))
  expect(planMemory(steps).bytes).toBe(1280)
})

test('the result of an element-wise step takes the place of an operand that nobody reads again', () => {
  const [x, y, z]: [Slot, Slot, Slot] = [{ bytes: 640 }, { bytes: 640 }, { bytes: 640 }]
  const operand = (slot: Slot) => ({ slot, descriptor: 0n })
  const primitive = { pointer: 0n, operation: 0n, query: () => undefined }
  const start: Step = { kind: 'copy', from: { bytes: 640, bound: 'input a' }, to: x }
  const inPlace = (from: Slot, to: Slot): Step => ({
    kind: 'primitive',
    primitive,
    operands: [
      ['src', operand(from)],
      ['dst', operand(to)],
    ],
    inPlace: [from, to],
  })
  const end: Step = { kind: 'copy', from: z, to: { bytes: 640, bound: 'output b' } }
  expect(planMemory([start, inPlace(x, y), inPlace(y, z), end]).bytes).toBe(640)
  const again: Step = { kind: 'copy', from: x, to: { bytes: 640, bound: 'output c' } }
  const kept = planMemory([start, inPlace(x, y), inPlace(y, z), end, again])
  expect(kept.bytes).toBe(1280)
  expect(kept.offsetOf(z)).toBe(kept.offsetOf(y))
  expect(kept.offsetOf(x)).not.toBe(kept.offsetOf(y))
})
