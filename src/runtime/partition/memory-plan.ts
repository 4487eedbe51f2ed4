import { slotsOf } from './step.ts'
import type { Slot, Step } from './step.ts'

/** Where the slots of a block lie. */
export interface MemoryPlan {
  /** Size of the block in bytes. */
  readonly bytes: number
  /** Start of a slot in the block, in bytes. */
  offsetOf(slot: Slot): number
}

/** Vectors and cache lines. */
const alignment = 64

/**
 * Places the slots of the block: slots that are never needed at the same time share memory. Each takes the lowest place that is free from its
 * first step to its last; the result of an element-wise step takes the place of an operand that is not read again.
 */
export function planMemory(steps: readonly Step[]): MemoryPlan {
  const spans = lifetimes(steps)
  const places = mergeInPlace(steps, spans)
  const roots = [...new Set(spans.keys())].filter((slot) => !places.has(slot))
  const order = roots.sort((a, b) => spanOf(spans, a)[0] - spanOf(spans, b)[0] || b.bytes - a.bytes)
  const offsets = new Map<Slot, number>()
  let live: { readonly slot: Slot; readonly from: number; readonly to: number }[] = []
  let bytes = 0
  for (const slot of order) {
    const [first] = spanOf(spans, slot)
    live = live.filter((other) => spanOf(spans, other.slot)[1] >= first)
    const size = Math.ceil(slot.bytes / alignment) * alignment
    let from = 0
    for (const other of live) {
      if (other.from - from >= size) break
      from = Math.max(from, other.to)
    }
    offsets.set(slot, from)
    live.push({ slot, from, to: from + size })
    live.sort((a, b) => a.from - b.from)
    bytes = Math.max(bytes, from + size)
  }
  const rootOf = (slot: Slot): Slot => {
    const place = places.get(slot)
    return place === undefined ? slot : rootOf(place)
  }
  return { bytes, offsetOf: (slot) => offsets.get(rootOf(slot)) as number }
}

type Spans = Map<Slot, [first: number, last: number]>

function spanOf(spans: Spans, slot: Slot): [number, number] {
  return spans.get(slot) as [number, number]
}

function lifetimes(steps: readonly Step[]): Spans {
  const spans: Spans = new Map()
  steps.forEach((step, n) => {
    for (const slot of slotsOf(step)) {
      if (slot.bound !== undefined) continue
      const span = spans.get(slot)
      if (span === undefined) spans.set(slot, [n, n])
      else span[1] = n
    }
  })
  return spans
}

/** Which slots take the place of which. The span of the place then covers both. */
function mergeInPlace(steps: readonly Step[], spans: Spans): Map<Slot, Slot> {
  const places = new Map<Slot, Slot>()
  const rootOf = (slot: Slot): Slot => {
    const place = places.get(slot)
    return place === undefined ? slot : rootOf(place)
  }
  steps.forEach((step, n) => {
    if (step.kind !== 'primitive' || step.inPlace === undefined) return
    if (step.inPlace.some((slot) => slot.within !== undefined)) return
    const [from, to] = [rootOf(step.inPlace[0]), step.inPlace[1]]
    const [before, after] = [spans.get(from), spans.get(to)]
    if (before === undefined || after === undefined || from.bytes !== to.bytes) return
    if (before[1] !== n || after[0] !== n) return
    places.set(to, from)
    before[1] = after[1]
  })
  return places
}
