import { dirname } from 'node:path'

/** `to fetch`: not here, but an address is known; `missing`: has to be put into a data folder. */
export type DatasetPlace = 'generated' | 'found' | 'to fetch' | 'missing'

/** One data set of the registry and where it is. */
export interface ListedDataset {
  readonly id: string
  readonly title: string
  readonly task: string
  readonly rows: number
  readonly testRows: number
  readonly licence: string
  readonly place: DatasetPlace
  readonly folder?: string
}

/** Every data set with its place, as `tutti data list --json` prints it. */
export async function listDatasets(): Promise<ListedDataset[]> {
  const { datasetIds, registry, whereIs } = await import('../data/index.ts')
  return Promise.all(
    datasetIds.map(async (id) => {
      const registered = registry[id]
      const { title, task, rows, testRows, licence } = registered
      const { found, paths } = await whereIs(id)
      const folder = paths[0] === undefined ? undefined : dirname(paths[0])
      const canFetch = registered.kind === 'files' && registered.entry.files.every((file) => file.urls.length > 0)
      const place: DatasetPlace = registered.kind === 'generated' ? 'generated' : found ? 'found' : canFetch ? 'to fetch' : 'missing'
      return { id, title, task, rows, testRows, licence, place, ...(found && folder !== undefined && { folder }) }
    }),
  )
}
