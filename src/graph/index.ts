/**
 * Operator graphs: build, differentiate, cut.
 * @packageDocumentation
 */
export { bindBatch } from './bind.ts'
export { GraphBuilder } from './builder.ts'
export type { Value } from './builder.ts'
export { backwardOrder, cutBackward } from './cut.ts'
export type { Segment } from './cut.ts'
export { grad } from './grad.ts'
export { checkGraph, formatShape } from './graph.ts'
export type { Dim, Graph, GraphInput, GraphOutput, Node, NodeOf, Shape, TensorType } from './graph.ts'
export type { OpAttributes, OpName } from './ops/attributes.ts'
export { ops } from './ops/table.ts'
