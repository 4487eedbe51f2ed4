import { describe, expect, it } from 'vitest'
import type { TuttiError } from '../../errors.ts'
import { moved, type Parker, Progress, type Steps, timeoutError } from './progress.ts'

/** A thread that never sleeps: `onSleep` is what happens meanwhile. */
function parker(onSleep: () => void = () => {}): Parker & { sleeps: number } {
  const self = {
    spins: 2,
    sleeps: 0,
    ticket: () => 0,
    sleep: () => {
      self.sleeps++
      onSleep()
    },
    check: () => {},
    begin: () => {},
    end: () => {},
    timedOut: (subject: { label: string }, ms: number): TuttiError => timeoutError(subject, ms, [4]),
  }
  return self
}

function* until(test: () => boolean): Steps {
  while (!test()) yield undefined
}

describe('progress', () => {
  it('waiting for one task advances the others', () => {
    let a = 0
    const progress = new Progress(parker(), 1000)
    const first = progress.spawn(
      until(() => ++a > 50),
      { label: 'first' },
    )
    const second = progress.spawn(
      until(() => a > 40),
      { label: 'second' },
    )
    second.wait()
    expect(a).toBeGreaterThan(40)
    first.wait()
    expect(progress.active).toBe(0)
  })

  it('does not sleep when a later task has freed an earlier one', () => {
    const thread = parker()
    const progress = new Progress(thread, 1000)
    let ready = false
    const inner = until(() => ready)
    const outer = progress.spawn(
      until(() => ready),
      { label: 'outer' },
    )
    progress.spawn(
      (function* (): Steps {
        yield undefined
        ready = true
        yield moved
        yield* inner
      })(),
      { label: 'inner' },
    )
    outer.wait()
    expect(thread.sleeps).toBe(0)
  })

  it('throws what a task failed with, in wait and in test, and lets generators clean up', () => {
    const progress = new Progress(parker(), 1000)
    let cleaned = false
    const failing = progress.spawn(
      (function* (): Steps {
        yield undefined
        throw new Error('broken')
      })(),
      { label: 'failing' },
    )
    const outer = progress.spawn(
      (function* (): Steps {
        try {
          yield failing
        } finally {
          cleaned = true
        }
      })(),
      { label: 'outer' },
    )
    expect(() => outer.wait()).toThrow('broken')
    expect(() => failing.test()).toThrow('broken')
    expect(cleaned).toBe(true)
  })

  it('ends a wait that takes too long', () => {
    const progress = new Progress(parker(), 0)
    const task = progress.spawn(
      until(() => false),
      { label: 'barrier #3' },
    )
    expect(() => task.wait({ timeoutMs: 0 })).toThrow(
      expect.objectContaining({ code: 'COLLECTIVE_TIMEOUT', details: expect.objectContaining({ ranks: [4] }) }),
    )
  })

  it('does not count the time in which the process was stopped', () => {
    let ended = false
    const progress = new Progress(
      parker(() => {
        // As after Ctrl-Z and fg: the clock has gone on.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1300)
        ended = true
      }),
      1200,
    )
    const task = progress.spawn(
      until(() => ended),
      { label: 'barrier #3' },
    )
    expect(() => task.wait()).not.toThrow()
  })

  it('ends a wait whose signal was aborted', () => {
    const stop = new AbortController()
    const progress = new Progress(
      parker(() => stop.abort()),
      1000,
    )
    const task = progress.spawn(
      until(() => false),
      { label: 'pull' },
    )
    expect(() => task.wait({ signal: stop.signal })).toThrow(
      expect.objectContaining({ code: 'ABORT', message: expect.stringContaining('pull') }),
    )
  })

  it('brings collectives to their end before a native call, but not a plain receive', () => {
    let steps = 0
    const progress = new Progress(parker(), 1000)
    progress.spawn(
      until(() => ++steps > 20),
      { label: 'schedule', collective: true },
    )
    progress.spawn(
      until(() => false),
      { label: 'recv' },
    )
    progress.settle()
    expect(steps).toBeGreaterThan(20)
    expect(progress.active).toBe(1)
  })
})
