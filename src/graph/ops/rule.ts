/**
 * What one operator is: shape rule, gradient rule, lowering to ONNX and evaluation in float64, together in one place.
 * The table of all operators is `table.ts`.
 * @packageDocumentation
 */
import type { DType } from '../../memory/dtype.ts'
import { bindShape } from '../graph.ts'
import type { Shape, TensorType } from '../graph.ts'
import type { Value } from '../builder.ts'
import type { Layout } from '../layouts.ts'
import type { OpAttributes, OpName } from './attributes.ts'

/** What a shape rule is told. */
export interface ShapeContext {
  /** Named in errors: the layer, or the operator where it belongs to none. */
  readonly layer: string
}

/** What a gradient rule is told about the node that it differentiates. */
export interface GradientContext<A> {
  /** Adds a node to the graph that is being differentiated, in the layer of the node at hand. */
  add<O extends OpName>(op: O, inputs: readonly Value[], attrs: OpAttributes[O]): Value
  readonly inputs: readonly Value[]
  /** The node's own value: rules such as that of tanh are cheapest in terms of it. */
  readonly output: Value
  /** Gradient of the loss with respect to the node's value; same shape. */
  readonly upstream: Value
  readonly attrs: A
  /** True where somebody asked for the gradient with respect to this input: a rule skips the others. */
  needs(input: number): boolean
}

/** What a layout rule is told (see `../layouts.ts`). */
export interface LayoutContext<A> {
  readonly type: TensorType
  readonly inputTypes: readonly TensorType[]
  readonly attrs: A
  /** Layouts of the inputs, as far as they are chosen. */
  readonly inputLayouts: readonly (Layout | undefined)[]
  /** The layout in which a later node would like to read the value. */
  readonly wanted: Layout | undefined
}

/** What a lowering is told. Names are those of ONNX values. */
export interface LowerContext<A> {
  /** The inputs as they are, without a layout; an entry is converted when it is read. */
  readonly inputs: readonly string[]
  /** How the value is to be stored (see `../layouts.ts`); undefined: as it is. */
  readonly layout: Layout | undefined
  /** How the inputs are stored. */
  readonly inputLayouts: readonly (Layout | undefined)[]
  /** An input in a layout; converted where it is stored otherwise. */
  inputAs(input: number, layout: Layout | undefined): string
  /** An image in tiles: `name` has shape `[batch, c, h, w]`. */
  toTiles(name: string, shape: readonly number[], tile: number): string
  /** The image `[batch, c, h, w]` of tiles. */
  fromTiles(name: string, shape: readonly number[], tile: number): string
  readonly inputTypes: readonly TensorType[]
  /** Shapes are concrete, but for `'batch'` in an exported model. */
  readonly type: TensorType
  readonly attrs: A
  /**
   * `'native'`: for our own sessions, any operator of ONNX Runtime and concrete shapes. `'portable'`: for files, only
   * operators of the ONNX standard, with a free batch dimension.
   */
  readonly target: 'native' | 'portable'
  /** A shape as an int64 tensor of the file: an extent that grows with the batch is read off an input when the file runs. */
  shapeTensor(shape: Shape): string
  /** Values that nodes of `op` in the same graph take as their input number `input`. */
  usedBy(op: string, input: number): boolean
  /** Adds an ONNX node and returns its first output. */
  emit(opType: string, inputs: readonly string[], attributes?: OnnxAttributes, options?: EmitOptions): string
  /** Adds an ONNX node with several outputs. */
  emitMany(opType: string, inputs: readonly string[], attributes: OnnxAttributes, outputs: number, domain?: string): string[]
  /** An initialiser; equal ones are stored once. */
  constant(values: readonly number[], shape: readonly number[], dtype: 'float32' | 'int32' | 'int64' | 'bool'): string
  /** Computes something once per graph and shares it among the nodes that name the same key. */
  shared<T>(key: string, make: () => T): T
}

/** Options of {@link LowerContext.emit}. */
export interface EmitOptions {
  /** ONNX domain (default the standard's). */
  readonly domain?: string
}

/** Attributes of an ONNX node: integers, floats (wrapped, since 1.0 and 1 look alike), strings, lists of integers. */
export type OnnxAttributes = Readonly<Record<string, number | string | readonly number[] | { readonly float: number }>>

/** A tensor of the float64 reference. */
export interface ReferenceTensor {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

/** What an evaluation is told. */
export interface EvaluateContext<A> {
  readonly inputs: readonly ReferenceTensor[]
  /** Shape of the result. */
  readonly shape: readonly number[]
  readonly attrs: A
}

/** Everything about one operator. */
export interface OpRule<A> {
  /** Fewest and most inputs. */
  readonly arity: readonly [number, number]
  /** Type of the value from the types of the inputs. @throws {ShapeError} naming the layer, expected and got */
  infer(inputs: readonly TensorType[], attrs: A, context: ShapeContext): TensorType
  /** One gradient per input, undefined where none is needed or defined. Absent: the operator cannot be differentiated. */
  gradient?(context: GradientContext<A>): readonly (Value | undefined)[]
  /** How the value is stored; absent or undefined: as it is. Called again with more knowledge while it says undefined. */
  layout?(context: LayoutContext<A>): Layout | undefined
  /** How the inputs are read best, given the value's own layout. */
  wants?(context: LayoutContext<A> & { readonly layout: Layout | undefined }): readonly (Layout | undefined)[]
  /** Emits ONNX nodes; returns the name of the value, stored in the layout that the context names. */
  lower(context: LowerContext<A>): string
  /** Computes the value in float64, as plainly as possible. */
  evaluate(context: EvaluateContext<A>): Float64Array
  /** Attributes with `'batch'` replaced, for operators whose attributes hold shapes. */
  bind?(attrs: A, batchSize: number): A
  /** Floating-point operations of one sample, multiply and add counted as two; default none (element-wise work is not counted). */
  flopsPerSample?(inputs: readonly TensorType[], type: TensorType, attrs: A): number
}

/** A float32 type. */
export function float32(shape: Shape): TensorType {
  return { shape, dtype: 'float32' satisfies DType }
}

/** {@link OpRule.bind} of operators whose attribute `shape` is the shape of their value. */
export function bindShapeAttribute<A extends { readonly shape: Shape }>(attrs: A, batchSize: number): A {
  return { ...attrs, shape: bindShape(attrs.shape, batchSize) }
}
