import type { DriverName } from '../../src/runtime/compile.ts'
import { hasLibrary } from '../../src/runtime/drivers/onednn/library.ts'

/** What rows are measured with: the faster of both drivers where oneDNN is installed, and ONNX Runtime alone. */
export const drivers: readonly DriverName[] = hasLibrary() ? ['auto', 'onnxruntime'] : ['onnxruntime']

/** The driver as rows name it. */
export function title(driver: DriverName): string {
  return driver === 'onnxruntime' ? 'without' : 'with oneDNN'
}

/** How the case of a row ends that measures steps. */
export function suffix(threadCount: number, driver: DriverName): string {
  return `${threadCount} thr, ${title(driver)}`
}
