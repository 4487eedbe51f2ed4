import type { DriverPlan } from './choice/driver-plan.ts'
import type { DType, NumericArray } from '../memory/dtype.ts'

/** A named tensor that an {@link Executable} reads or writes. */
export interface TensorInfo {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** Number of elements. */
  readonly length: number
}

/** Typed arrays by the name of the input or output that they serve. */
export type Buffers = Readonly<Record<string, NumericArray>>

/**
 * A graph that is ready to run at one batch size. Close it to give back the driver's memory; `await using` does.
 * Not shared between threads: every thread compiles its own.
 */
export interface Executable extends AsyncDisposable {
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
  /** What it was compiled for: given to `compile` as `plan`, it makes one that computes the same bits. Absent for the reference. */
  readonly plan?: DriverPlan
  /**
   * Fixes the arrays that runs read and write. Several bindings may exist at once (double buffering). Arrays may live anywhere,
   * shared segments included (through their aliased `ArrayBuffer`); additional entries are ignored.
   * @throws {ConfigError} CONFIG when an array is missing
   * @throws {DTypeError} DTYPE when an array has other elements
   * @throws {ShapeError} SHAPE when an array has another length
   */
  bind(buffers: Buffers): Bound
  /** Releases native memory. Idempotent; bindings cannot run afterwards. */
  close(): Promise<void>
}

/** An {@link Executable} with its arrays. */
export interface Bound {
  /**
   * Reads the bound inputs as they are now and writes the bound outputs in place. Blocks the calling thread although it returns a
   * promise; about every ten milliseconds it lets the event loop have a turn before it resolves, so that timers, messages and signals are
   * not starved by a loop of runs. One run at a time for each executable.
   * @throws {BackendError} BACKEND when the native runtime fails or the executable is closed
   */
  run(): Promise<void>
}
