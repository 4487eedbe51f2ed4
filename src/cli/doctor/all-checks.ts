import type { Check } from './check.ts'
import { dataCheck } from './data-check.ts'
import { machineChecks } from './machine-checks.ts'
import { nativeChecks } from './native-checks.ts'
import { toolChecks } from './tool-checks.ts'

/** Every check of `tutti doctor`, in the order in which it is shown. */
export async function allChecks(): Promise<Check[]> {
  return [...machineChecks(), ...(await nativeChecks()), await dataCheck(), ...toolChecks()]
}
