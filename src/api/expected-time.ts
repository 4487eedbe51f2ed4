import type { Spread } from './spread.ts'

/** Floating-point operations a second that one thread reaches on small layers: an order of magnitude, not a claim. */
const flopsPerSecond = 1.2e10

/** What a step costs beside its arithmetic, in seconds: calls, the meeting of the ranks, messages between processes. */
const overheads = { call: 2e-4, meeting: 2e-4, message: 5e-4 } as const

/** How long the train clock will run, roughly: arithmetic shared out over the cores, and a constant for each step. */
export function expectedSeconds(steps: number, flopsPerStep: number, { fabric, workers, processes, hosts }: Spread, cores: number): number {
  const hands = fabric === 'virtual' ? 1 : Math.min(workers, hosts.length > 0 ? workers : cores)
  const meeting = (workers > 1 ? overheads.meeting : 0) + (processes > 1 ? overheads.message : 0)
  return steps * (flopsPerStep / flopsPerSecond / hands + overheads.call + meeting)
}
