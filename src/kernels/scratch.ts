/**
 * Scratch memory that two kernels need. It belongs to the caller, because instances of several threads share a segment: each thread
 * allocates its own once and passes it to every call.
 * @packageDocumentation
 */
import { alignmentBytes } from '../memory/handle.ts'

/** Bytes of scratch that `lloyd` needs for k centres of d elements. Mirrors `layOut` of assembly/lloyd-pass.ts. */
export function lloydScratchBytes(k: number, d: number): number {
  const width = Math.ceil(d / 16) * 16
  const vectors = Math.ceil(k / 4)
  const parts = [
    256,
    (width / 2) * vectors * 16,
    vectors * 16,
    vectors * 16,
    4096,
    width * 2 + 64,
    width + 64,
    64,
    k * width * 2,
    k * 4,
    d * 8,
  ]
  return parts.reduce((sum, bytes) => sum + aligned(bytes), 0)
}

/** Bytes that `survey` needs for its records of `rows` rows of d elements. Mirrors `recordBytes` of assembly/survey.ts. */
export function surveyBytes(rows: number, d: number): number {
  return rows * (8 + 8 * Math.ceil(d / 512))
}

/** Bytes of scratch that `gram` needs for rows of d elements: 32 rows of d + 1 in float64. */
export function gramScratchBytes(d: number): number {
  return aligned(32 * Math.ceil((d + 1) / 4) * 4 * 8)
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / alignmentBytes) * alignmentBytes
}
