import type { ErrorJSON } from '../errors.ts'
import type { Preflight } from '../records/record.ts'

/** What happens during a run, as `onEvent` gets it. Progress bars, the record writer and dashboards are listeners and nothing more. */
export type RunEvent =
  | { readonly type: 'preflight'; readonly preflight: Preflight }
  | {
      readonly type: 'step'
      readonly step: number
      readonly steps: number
      readonly epoch: number
      readonly samples: number
      /** Seconds on the train clock. */
      readonly time: number
      readonly loss: number
      readonly learningRate?: number
    }
  | {
      readonly type: 'evaluation'
      readonly split: 'test' | 'validation' | 'train'
      readonly step: number
      readonly epoch: number
      readonly samples: number
      readonly time: number
      readonly loss?: number
      readonly metric: number
    }
  | { readonly type: 'checkpoint'; readonly step: number; readonly dir: string }
  | { readonly type: 'lost'; readonly error: ErrorJSON }
