import type { AllReduceAlgorithm } from '../fabric/communicator.ts'
import { type Instruction, type Program, repeat } from '../train/program.ts'
import type { Stage } from '../train/statistic.ts'

/** localStat → merge → nextState. */
function learningStep(stage: Stage, algorithm: AllReduceAlgorithm): Instruction[] {
  return [
    { do: 'call', method: 'localStat', stage },
    { do: 'allReduce', buffer: 'statistic', algorithm },
    { do: 'agree', by: 'tail' },
    { do: 'call', method: 'nextState', stage },
  ]
}

/**
 * The Program of every synchronous classical system: `setupSteps` exchanges to find a start, at most `maxSteps` to learn, and one more look at the
 * result where `lastLook` asks for it.
 */
export function statisticProgram(
  algorithm: AllReduceAlgorithm,
  { maxSteps, setupSteps = 0, lastLook = false }: { readonly maxSteps: number; readonly setupSteps?: number; readonly lastLook?: boolean },
): Program {
  return {
    setup: setupSteps > 0 ? [repeat(setupSteps, ...learningStep('setup', algorithm))] : [],
    body: [repeat(maxSteps, ...learningStep('body', algorithm), { do: 'report' }, { do: 'evaluate', of: 'learner' }, { do: 'checkpoint' })],
    drain: [
      ...(lastLook ? [...learningStep('drain', algorithm), { do: 'evaluate', of: 'learner' } as const] : []),
      { do: 'checkpoint', always: true },
      { do: 'barrier' },
    ],
    replicasDiffer: false,
    divisor: 'global',
  }
}
