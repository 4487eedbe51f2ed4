/**
 * What runs a graph, as plain data: chosen once by measuring, stored, handed to other ranks, given to `compile`. The same plan gives the same
 * bits wherever it is used on machines of one kind.
 */
export interface DriverPlan {
  readonly driver: 'onnxruntime' | 'onednn'
}

/** True for a plan that came from outside and can be used. */
export function isDriverPlan(value: unknown): value is DriverPlan {
  const driver = (value as Partial<DriverPlan> | null | undefined)?.driver
  return driver === 'onnxruntime' || driver === 'onednn'
}
