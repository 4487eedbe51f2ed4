/**
 * What runs a graph, as plain data: chosen once by measuring, stored, handed to other ranks, given to `compile`. The same plan gives the same
 * bits wherever it is used on machines of one kind.
 */
export interface DriverPlan {
  readonly driver: 'onnxruntime' | 'onednn'
  /** With oneDNN, how products of matrices are computed that were measured, by {@link productKey}; others go by their sizes. */
  readonly products?: Products
}

/** Formulations by the keys of products. */
export type Products = Readonly<Record<string, Formulation>>

/**
 * Ways to compute a product of matrices. oneDNN has two: `copied`, operands brought whole into the order that a kernel likes before it
 * begins, and `packed`, piece by piece. `onnxruntime`: left to ONNX Runtime.
 */
export const formulations = ['copied', 'packed', 'onnxruntime'] as const

/** Name of a way to compute a product. */
export type Formulation = (typeof formulations)[number]

/** A node of a product with the same extents and transpositions has the same key. */
export function productKey({ op, attrs }: { readonly op: string; readonly attrs: object }, shapes: readonly (readonly number[])[]): string {
  const { transposeA, transposeB } = attrs as { readonly transposeA: boolean; readonly transposeB: boolean }
  const [a, b, bias] = shapes.map((shape) => shape.join('×'))
  return `${op} ${a}${transposeA ? 'ᵀ' : ''} · ${b}${transposeB ? 'ᵀ' : ''}${bias === undefined ? '' : ' + bias'}`
}

/** True for a plan that came from outside and can be used. */
export function isDriverPlan(value: unknown): value is DriverPlan {
  const { driver, products } = (value ?? {}) as { readonly driver?: unknown; readonly products?: unknown }
  if (driver !== 'onnxruntime' && driver !== 'onednn') return false
  if (products === undefined) return true
  if (typeof products !== 'object' || products === null) return false
  return Object.values(products).every((name) => formulations.some((formulation) => formulation === name))
}
