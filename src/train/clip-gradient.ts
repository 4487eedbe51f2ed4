import type { Kernels } from '../kernels/kernels.ts'

/** Limits each element to ±gradClipValue and then the Euclidean norm to gradClipNorm, in place, where they are set (Pascanu et al. 2013). */
export function clipGradient(
  kernels: Kernels,
  gradient: Float32Array,
  { gradClipNorm, gradClipValue }: { readonly gradClipNorm?: number; readonly gradClipValue?: number },
): void {
  if (gradClipValue !== undefined) {
    for (let i = 0; i < gradient.length; i++) gradient[i] = Math.min(gradClipValue, Math.max(-gradClipValue, gradient[i] as number))
  }
  if (gradClipNorm !== undefined) {
    const norm = Math.sqrt(kernels.dot(gradient, gradient))
    if (norm > gradClipNorm) kernels.scale(gradClipNorm / norm, gradient)
  }
}
