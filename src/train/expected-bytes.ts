import type { TrainJob } from './job.ts'
import { exchangedRange } from './layout.ts'
import type { Instruction } from './program.ts'

/**
 * Bytes that one rank sends in a step, before anything has run: 2·n·(p−1)/p for a sum of n bytes (what ring and halving-doubling send; trees send up
 * to n more), n for a push or a pull, what happens every k-th step, or once at the end, by its share. Evaluation and checkpoints do not count.
 */
export function expectedBytesPerStep(job: TrainJob, workers: number): number {
  if (workers === 1) return 0
  const sizeOf = (bucket?: number): number => {
    const { start, end } = exchangedRange(job.layout, bucket)
    return 4 * (end - start)
  }
  const sent = (instructions: readonly Instruction[]): number =>
    instructions.reduce((sum, instruction) => {
      if ('loop' in instruction) return sum + sent(instruction.body) / (instruction.loop === 'every' ? instruction.period : 1)
      if (instruction.do === 'allReduce') return sum + (2 * sizeOf(instruction.bucket) * (workers - 1)) / workers
      return instruction.do === 'push' || instruction.do === 'pull' ? sum + sizeOf() : sum
    }, 0)
  return sent(job.program.body) + sent(job.program.drain) / job.steps
}
