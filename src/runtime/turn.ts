import { setImmediate } from 'node:timers/promises'

/** For how long runs follow each other before timers, messages and signals of the thread get their turn. */
const turnMs = 10

let lastTurn = 0

/** Lets the event loop have a turn, if it had none for a while. */
export async function takeTurn(): Promise<void> {
  if (performance.now() - lastTurn < turnMs) return
  await setImmediate()
  lastTurn = performance.now()
}
