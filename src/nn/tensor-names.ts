/**
 * Parameters under the names that PyTorch's modules, and with them Hugging Face's files, have. Most of ours are these already: `<layer>.weight`
 * `[out, in, …]`, `<layer>.bias`, `<layer>.running_mean`, `<layer>.running_var`. The others:
 *
 *   ours                                          theirs
 *   layer norm `.gain`                            `.weight`
 *   layer k of an LSTM or GRU `<layer>.<k>.weight`  `<layer>.weight_ih_l<k>`
 *   `<layer>.<k>.recurrent`                       `<layer>.weight_hh_l<k>`
 *   `<layer>.<k>.bias`                            `<layer>.bias_ih_l<k>`, beside a second bias `<layer>.bias_hh_l<k>` of zeros
 *   GRU `<layer>.<k>.candidateBias`               the last third of `<layer>.bias_hh_l<k>`
 *
 * The layers of a file of another program are one node each, `<layer>.weight`, `<layer>.recurrent`, …: their k is 0.
 *
 * Gates stand in the same order in both. @packageDocumentation
 */
import type { Model } from './model.ts'
import type { ParameterSpec } from './parameter.ts'

/** A tensor of a file. */
export interface StoredTensor {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** Naming of tensors in files: ours, or that of PyTorch and Hugging Face. */
export const tensorNamings = ['tutti', 'hugging-face'] as const

/** See {@link tensorNamings}. */
export type TensorNaming = (typeof tensorNamings)[number]

/** A layer of a recurrent stack, or one that stands alone. */
const ofRecurrence = /^(.*?)(?:\.(\d+))?\.(weight|recurrent|bias|candidateBias)$/

/** The parameters of a model by the names of a naming. Names that would meet stay ours. */
export function namedTensors(
  { parameters }: Pick<Model, 'parameters'>,
  values: Readonly<Record<string, Float32Array>>,
  naming: TensorNaming,
): Record<string, StoredTensor> {
  const tensors: Record<string, StoredTensor> = {}
  const specs = new Map(parameters.map((spec) => [spec.name, spec]))
  for (const spec of parameters) {
    const own = { shape: spec.shape, values: values[spec.name] as Float32Array }
    const recurrent = naming === 'tutti' ? undefined : recurrentOf(spec, specs)
    if (recurrent !== undefined) Object.assign(tensors, recurrentTensors(recurrent, own, values))
    else tensors[naming === 'tutti' ? spec.name : plainName(spec.name, specs)] = own
  }
  return tensors
}

function plainName(name: string, specs: ReadonlyMap<string, ParameterSpec>): string {
  const theirs = name.replace(/(^|\.)gain$/, '$1weight')
  return theirs !== name && specs.has(theirs) ? name : theirs
}

/** What a parameter is to a recurrent layer. */
interface Recurrent {
  /** What our names of its parameters begin with. */
  readonly own: string
  readonly layer: string
  readonly k: string
  readonly role: string
}

function recurrentOf({ name }: ParameterSpec, specs: ReadonlyMap<string, ParameterSpec>): Recurrent | undefined {
  const [, layer, k, role] = ofRecurrence.exec(name) ?? []
  if (layer === undefined || role === undefined) return undefined
  const own = k === undefined ? layer : `${layer}.${k}`
  return specs.has(`${own}.recurrent`) ? { own, layer, k: k ?? '0', role } : undefined
}

function recurrentTensors(
  { own: prefix, layer, k, role }: Recurrent,
  own: StoredTensor,
  values: Readonly<Record<string, Float32Array>>,
): Record<string, StoredTensor> {
  if (role === 'weight') return { [`${layer}.weight_ih_l${k}`]: own }
  if (role === 'recurrent') return { [`${layer}.weight_hh_l${k}`]: own }
  // It is part of the second bias, which goes with the first.
  if (role === 'candidateBias') return {}
  const second = new Float32Array(own.values.length)
  const candidate = values[`${prefix}.candidateBias`]
  if (candidate !== undefined) second.set(candidate, second.length - candidate.length)
  return { [`${layer}.bias_ih_l${k}`]: own, [`${layer}.bias_hh_l${k}`]: { shape: own.shape, values: second } }
}
