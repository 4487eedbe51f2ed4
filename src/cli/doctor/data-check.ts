import { listDatasets } from '../dataset-list.ts'
import type { Check } from './check.ts'

/** Which real data sets are here and where; MNIST decides, because the examples use it. */
export async function dataCheck(): Promise<Check> {
  const name = 'data sets'
  const listed = await listDatasets()
  const found = listed.filter((row) => row.place === 'found')
  const absent = listed.filter((row) => row.place === 'to fetch' || row.place === 'missing').map((row) => row.id)
  const folders = [...new Set(found.map((row) => row.folder))].length
  const detail = `${found
    .map((row) => `${row.id} in ${row.folder}`)
    .slice(0, 1)
    .join('')}${found.length > 1 ? `, and ${found.length - 1} more in ${folders} folders` : ''}`
  if (found.some((row) => row.id === 'mnist')) return { name, status: 'ok', detail }
  const mend = 'tutti data fetch mnist, or set TUTTI_DATA to a folder with mnist/ in it'
  return {
    name,
    status: 'missing',
    detail: `${detail || 'none'}; not here: ${absent.join(', ')}; examples fall back on generated data`,
    mend,
  }
}
