import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { watchInterrupts } from './interrupts.ts'
import { Output } from './output.ts'

function outputTo(lines: string[], isTTY = false): Output {
  const sink = { write: (text: string) => lines.push(text), isTTY }
  return new Output(sink, sink, false)
}

describe('watchInterrupts', () => {
  it('asks for a stop on the first signal and ends on the second', () => {
    const lines: string[] = []
    const codes: number[] = []
    const emitter = new EventEmitter()
    const interrupts = watchInterrupts(outputTo(lines), (code) => codes.push(code), emitter)
    expect(interrupts.signal.aborted).toBe(false)
    emitter.emit('SIGINT')
    expect(interrupts.signal.aborted).toBe(true)
    expect(lines).toEqual([expect.stringMatching(/^stopping at the next common step[^\n]*\n$/)])
    expect(codes).toEqual([])
    emitter.emit('SIGTERM')
    expect(codes).toEqual([130])
  })

  it('shows the cursor of a terminal again before it ends the process', () => {
    const lines: string[] = []
    const emitter = new EventEmitter()
    watchInterrupts(outputTo(lines, true), () => {}, emitter)
    emitter.emit('SIGINT')
    emitter.emit('SIGINT')
    expect(lines.at(-1)).toContain('\x1b[?25h')
  })

  it('listens no more once closed', () => {
    const emitter = new EventEmitter()
    const interrupts = watchInterrupts(outputTo([]), () => {}, emitter)
    interrupts.close()
    interrupts.close()
    expect(emitter.eventNames()).toEqual([])
  })
})
