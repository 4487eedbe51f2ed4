import type { Kernels } from '../kernels/kernels.ts'
import type { ParameterLayout } from './layout.ts'

/**
 * Limits each element to ±gradClipValue and then the Euclidean norm to gradClipNorm, in place, where they are set. What a step takes off running
 * statistics is no gradient and stays as it is.
 * @see Pascanu, Mikolov, Bengio, On the difficulty of training recurrent neural networks, ICML 2013
 */
export function clipGradient(
  kernels: Kernels,
  gradient: Float32Array<ArrayBuffer>,
  { ranges }: ParameterLayout,
  { gradClipNorm, gradClipValue }: { readonly gradClipNorm?: number; readonly gradClipValue?: number },
): void {
  if (gradClipNorm === undefined && gradClipValue === undefined) return
  const parts = ranges
    .filter(({ update }) => update === 'optimizer')
    .map(({ offset, length }) => gradient.subarray(offset, offset + length))
  if (gradClipValue !== undefined) for (const part of parts) kernels.clamp(part, gradClipValue)
  if (gradClipNorm === undefined) return
  const norm = Math.sqrt(parts.reduce((sum, part) => sum + kernels.dot(part, part), 0))
  if (norm > gradClipNorm) for (const part of parts) kernels.scale(gradClipNorm / norm, part)
}
