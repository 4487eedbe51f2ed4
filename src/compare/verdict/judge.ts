import { accuracyVerdict } from './accuracy.ts'
import type { Case } from './case.ts'
import { communicationVerdict } from './communication.ts'
import { costVerdict } from './cost.ts'
import { faultsVerdict } from './faults.ts'
import { memoryVerdict } from './memory.ts'
import type { JudgedCase } from './overall.ts'
import { representatives } from './representatives.ts'
import { scalabilityVerdict } from './scalability.ts'

/** All six verdicts on a case. */
export function judge(of: Case): JudgedCase {
  const chosen = representatives(of)
  return {
    case: of,
    verdicts: [
      costVerdict(of, chosen),
      scalabilityVerdict(of, chosen),
      accuracyVerdict(of, chosen),
      communicationVerdict(of, chosen),
      memoryVerdict(of, chosen),
      faultsVerdict(of),
    ],
  }
}
