import { resolve } from 'node:path'
import type { CheckpointSpec } from '../train/job.ts'

/** Default of `checkpointEverySeconds`. */
const everySeconds = 60

/** Where a run saves and what it goes on from: below `out`, or where it was resumed from; nowhere when neither is given. Absolute, for other processes. */
export function checkpointSpec(spec: { readonly out?: string; readonly resume?: string; readonly checkpointEverySeconds?: number }): {
  readonly checkpoint?: CheckpointSpec
} {
  const folder = spec.out ?? spec.resume
  if (folder === undefined) return {}
  return {
    checkpoint: {
      dir: resolve(folder, 'checkpoint'),
      everySeconds: spec.checkpointEverySeconds ?? everySeconds,
      ...(spec.resume === undefined ? {} : { resume: resolve(spec.resume, 'checkpoint') }),
    },
  }
}
