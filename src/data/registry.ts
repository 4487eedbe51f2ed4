import { defaultTestRows } from './generators/generate.ts'
import type { Generator } from './generators/generator.ts'
import { type GeneratorId, generators } from './generators/index.ts'
import type { RegistryEntry } from './registry-entry.ts'
import { registryEntries } from './registry-entries.ts'
import type { Task } from './task.ts'

/** Id of a data set that {@link load} knows. */
export type DatasetId = keyof typeof registryEntries | GeneratorId

/** One row of the listing. */
export interface RegistryRow {
  readonly id: DatasetId
  readonly title: string
  readonly task: Task
  /** Training and evaluation rows (of a generator: by default). */
  readonly rows: number
  readonly testRows: number
  readonly licence: string
  readonly sizes?: { readonly S: number; readonly M: number }
}

/** A data set of files with its entry, or a generated one. */
export type Registered =
  | (RegistryRow & { readonly kind: 'files'; readonly entry: RegistryEntry })
  | (RegistryRow & { readonly kind: 'generated' })

/** Training rows of the suite's sizes, for generators. */
const generatorSizes: Partial<Record<GeneratorId, { S: number; M: number }>> = {
  linear: { S: 10_000, M: 1_000_000 },
  blobs: { S: 20_000, M: 200_000 },
  'waveform-21': { S: 600, M: 6000 },
  twonorm: { S: 600, M: 6000 },
  friedman: { S: 10_000, M: 100_000 },
  ctr: { S: 20_000, M: 200_000 },
  shapes: { S: 200, M: 1000 },
  density: { S: 200, M: 1000 },
}

function rowOf(id: DatasetId, entry: RegistryEntry): Registered {
  const { title, task, licence, train, test, sizes } = entry
  return { kind: 'files', id, title, task, rows: train.rows, testRows: test?.rows ?? 0, licence, ...(sizes && { sizes }), entry }
}

function generatedRow(id: GeneratorId): Registered {
  const { title, task, rows, testRows = defaultTestRows }: Generator = generators[id]
  const sizes = generatorSizes[id]
  return { kind: 'generated', id, title, task, rows, testRows, licence: 'generated', ...(sizes && { sizes }) }
}

/** Every data set by its id: real ones, then generators. */
export const registry: Readonly<Record<DatasetId, Registered>> = Object.fromEntries([
  ...Object.entries(registryEntries).map(([id, entry]) => [id, rowOf(id as DatasetId, entry)] as const),
  ...(Object.keys(generators) as GeneratorId[]).map((id) => [id, generatedRow(id)] as const),
]) as Record<DatasetId, Registered>

/** Ids of all data sets, real ones first. */
export const datasetIds = Object.keys(registry) as readonly DatasetId[]
