/**
 * Operator graphs: build, differentiate, cut.
 * @packageDocumentation
 */
export { bindBatch } from './bind.ts'
export { GraphBuilder } from './builder.ts'
export type { Value } from './builder.ts'
export { backwardOrder, bucket } from './transforms/bucket.ts'
export { cut } from './transforms/cut.ts'
export type { Boundary, Cut, Segment } from './transforms/cut.ts'
export { delay, firstTick } from './transforms/delay.ts'
export type { DelayedCut } from './transforms/delay.ts'
export { micro } from './transforms/micro.ts'
export type { MicroBatches } from './transforms/micro.ts'
export { remat } from './transforms/remat.ts'
export type { RematPolicy } from './transforms/remat.ts'
export { simplify } from './transforms/simplify.ts'
export { version, versionedName } from './transforms/version.ts'
export { grad } from './grad.ts'
export { checkGraph, formatShape } from './graph.ts'
export type { Dim, Graph, GraphInput, GraphOutput, Node, NodeOf, Shape, TensorType } from './graph.ts'
export type { OpAttributes, OpName } from './ops/attributes.ts'
export { ops } from './ops/table.ts'
