import { use } from './case.ts'
import type { Case } from './case.ts'

const nodes = ['batch', 5, 3] as const

/** Graphs and tables of hashed rows. */
export const graphCases: readonly Case[] = [
  use('neighbourSum', { from: [0, 1, 4, 4, 2, 2], to: [1, 0, 4, 1, 1, 1] }, [nodes]),
  use('neighbourSum', { from: [0, 1, 2, 3, 4, 0, 3, 3], to: [0, 1, 2, 3, 4, 3, 0, 3] }, [nodes]),
  use('neighbourSum', { from: [0, 1, 2, 3, 4], to: [0, 1, 2, 3, 4] }, [nodes]),
  use('modulo', { divisor: 7 }, [{ classes: 40, shape: ['batch', 6] }]),
]
