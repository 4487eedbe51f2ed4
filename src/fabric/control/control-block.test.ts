import { describe, expect, it } from 'vitest'
import { Segment } from '../../memory/segment.ts'
import { ControlBlock } from './control-block.ts'
import { controlLayout } from './control-layout.ts'
import { Lane } from './lane.ts'

function block(numLanes: number): ControlBlock {
  const { sizeBytes } = controlLayout(numLanes)
  const segment = Segment.create(sizeBytes, 'test')
  return new ControlBlock(segment, segment.allocate('uint8', sizeBytes).byteOffset, numLanes)
}

function lane(control: ControlBlock, index: number): Lane {
  const rankOf = Array.from({ length: control.numLanes }, (_, rank) => rank)
  return new Lane(control, index, { rankOf, localRanks: rankOf.length }, { timeoutMs: 1000, spins: 1, decides: true })
}

describe('control block', () => {
  it('keeps its parts apart for any number of lanes', () => {
    for (const numLanes of [1, 2, 3, 16, 17, 64]) {
      const layout = controlLayout(numLanes)
      const starts = [layout.lane(0), layout.group(0)]
      for (let index = 0; index < numLanes; index++) starts.push(layout.waiting(index, 0), layout.mailbox(index))
      for (let index = 0; index < numLanes; index++) starts.push(layout.exchange(index), layout.scratch(index))
      expect(starts).toEqual([...starts].sort((a, b) => a - b))
      expect(starts.every((start) => start % 64 === 0)).toBe(true)
      expect(layout.scratch(numLanes - 1)).toBeLessThan(layout.sizeBytes)
    }
  })

  it('shows what a lane waits for, until it does not', () => {
    const control = block(3)
    const own = lane(control, 1)
    own.begin({ label: 'allReduce #7', missing: () => [2, 0] }, 500)
    expect(control.status(1)).toMatchObject({ state: 'waiting', label: 'allReduce #7', missing: [2, 0], timeoutMs: 500, waits: 1 })
    own.end()
    expect(control.status(1)).toMatchObject({ state: 'running', label: '', missing: [] })
    control.showBlocking(1, { kind: 'recv', into: new Float32Array(1), from: 2, tag: 9 }, 0, 500)
    expect(control.status(1).label).toBe('recv from 2 tag 9')
    control.showText(1, 'step 3: förward', 3)
    expect(control.status(1)).toMatchObject({ text: 'step 3: förward', step: 3 })
  })

  it('cancels every wait with the first reason', () => {
    const control = block(2)
    const own = lane(control, 0)
    own.check()
    control.cancel({ code: 'PEER_LOST', message: 'rank 1 lost', details: { ranks: [1] } })
    control.cancel({ code: 'ABORT', message: 'later', details: {} })
    expect(() => own.check()).toThrow(expect.objectContaining({ code: 'PEER_LOST', details: { ranks: [1] } }))
  })

  it('keeps the ranks of a reason that is too long', () => {
    const control = block(1)
    control.cancel({ code: 'PEER_LOST', message: 'x'.repeat(20_000), details: { ranks: [3], cause: 'y'.repeat(20_000) } })
    expect(control.reason).toMatchObject({ code: 'PEER_LOST', details: { ranks: [3] } })
  })

  it('leaves it to the watchdog who is late where a wait cannot say for whom', () => {
    expect(lane(block(2), 0).timedOut({ label: 'pull' }, 500)).toBeUndefined()
  })

  it('blames the end of a chain of waits', () => {
    const control = block(4)
    const lanes = [0, 1, 2, 3].map((index) => lane(control, index))
    lanes[1]?.begin({ label: 'recv from 2 tag 0', missing: () => [2] }, 1000)
    lanes[2]?.begin({ label: 'recv from 3 tag 0', missing: () => [3] }, 1000)
    const error = lanes[0]?.timedOut({ label: 'barrier #0', missing: () => [1] }, 1000)
    expect(error).toMatchObject({ code: 'COLLECTIVE_TIMEOUT', details: { ranks: [3] } })
  })

  it('sees that a rank which is waited for has ended', () => {
    const control = block(2)
    const own = lane(control, 0)
    const subject = { label: 'barrier #0', missing: () => [1] }
    expect(own.lost(subject)).toBeUndefined()
    control.setState(1, 'ended')
    expect(own.lost(subject)).toMatchObject({ code: 'PEER_LOST', details: { ranks: [1] } })
  })

  it('lends scratch in the segment and takes it back', () => {
    const control = block(1)
    const own = lane(control, 0)
    const like = new Float32Array(0)
    const taken = Array.from({ length: 6 }, () => own.take(like, 100))
    expect(taken.filter((array) => array.buffer === control.segment.buffer)).toHaveLength(4)
    expect(new Set(taken.slice(0, 4).map((array) => array.byteOffset)).size).toBe(4)
    for (const array of taken) own.giveBack(array)
    expect(own.take(like, 5).buffer).toBe(control.segment.buffer)
    expect(own.take(like, 1e6).buffer).not.toBe(control.segment.buffer)
  })
})
