import type { AllReduceAlgorithm } from '../../fabric/communicator.ts'
import { option } from '../define.ts'

/** Which all-reduce a system uses; `auto` is the transport's own, or `ring` where the run must be reproducible and the transport does not promise it. */
export const allReduceOption = option.choice(['auto', 'native', 'ring', 'halving-doubling', 'tree', 'hierarchical'], {
  default: 'auto',
  doc: 'all-reduce: the transport’s own (native), or one of our schedules',
})

/** The algorithm behind the option. */
export function chooseAllReduce(choice: string, reproducible: boolean): AllReduceAlgorithm {
  if (choice !== 'auto') return choice as AllReduceAlgorithm
  return reproducible ? 'ring' : 'native'
}
