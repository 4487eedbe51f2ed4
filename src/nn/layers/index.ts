/**
 * Layers: pure functions that take a tensor and return one, and add nodes and parameters to the model that is being built.
 * @packageDocumentation
 */
export { relu, sigmoid, tanh } from './activations.ts'
export { add } from './arithmetic.ts'
export { flatten, reshape } from './arrange.ts'
export { conv2d } from './conv2d.ts'
export type { Conv2dOptions } from './conv2d.ts'
export { dense } from './dense.ts'
export { dropout } from './dropout.ts'
export type { LayerOptions, Size, WeightedLayerOptions } from './options.ts'
export { avgPool, maxPool } from './pool.ts'
export type { PoolOptions } from './pool.ts'
