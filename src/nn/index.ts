/**
 * Networks: layers, models, losses, optimisers, schedules.
 * @packageDocumentation
 */
export { initialisationStream, initialise } from './initialise.ts'
export * from './layers/index.ts'
export { Model, model, modelFromJSON } from './model.ts'
export type { InputShapes, ModelJSON } from './model.ts'
export { lenet5 } from './models/lenet5.ts'
export { mlp } from './models/mlp.ts'
export { exportOnnx, importOnnx } from './onnx-file.ts'
export { optim, slotNames } from './optim.ts'
export type { AdamOptions, AdamSpec, OptimizerSpec, SgdOptions, SgdSpec } from './optim.ts'
export { init, parameterLength } from './parameter.ts'
export type { Initializer, ParameterSpec } from './parameter.ts'
export { learningRateAt, schedule } from './schedule.ts'
export type { ScheduleSpec } from './schedule.ts'
export type { Tensor } from './trace.ts'
export { evaluationGraph, inferenceGraph, lossNames, maskInputs, requireLoss, trainingGraph } from './training-graph.ts'
export type { LossName } from './training-graph.ts'
