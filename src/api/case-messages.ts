/**
 * What the process of a case and the one that compares say to each other: plain data.
 *
 *   start ─▶ child ── event … event ── ended | failed | broke ─▶ parent
 *   stop ──▶
 *
 * @packageDocumentation
 */
import type { ErrorJSON } from '../errors.ts'
import type { DataReference } from '../train/job.ts'
import type { RunEvent } from './events.ts'
import type { SystemReference } from './system-reference.ts'
import type { WorkloadOptions } from './workloads/run.ts'

/** A run for a process of its own. */
export interface CaseSpec {
  readonly workload: string
  readonly options: Omit<WorkloadOptions, 'system' | 'out'>
  readonly system: SystemReference
  /** Takes the place of `options.train.validation` where that is a data set. */
  readonly validation?: DataReference
  /** Folder that gets the record. */
  readonly dir: string
  /** The folder is only a way to hand the record over: the run itself saves nothing, and the folder goes when nobody waits for it. */
  readonly temporary: boolean
}

/** What the process of a case is told; `stop` asks for a stop at a step on which all ranks agree. */
export type ToCase = { readonly type: 'start'; readonly spec: CaseSpec } | { readonly type: 'stop' }

/** What the process of a case says; the last word is one of the last three. */
export type FromCase =
  | { readonly type: 'event'; readonly event: RunEvent }
  /** The record lies in the folder, whether the run went well or not. */
  | { readonly type: 'ended' }
  /** There is no record: the run could not start. */
  | { readonly type: 'failed'; readonly error: ErrorJSON }
  /** Something threw where nobody caught it. */
  | { readonly type: 'broke'; readonly message: string }

/** Set in processes of cases: a file that compares while it is loaded there would start processes without end. */
export const caseVariable = 'TUTTI_CASE'
