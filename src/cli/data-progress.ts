import type { DataProgress } from '../data/index.ts'
import { formatBytes, formatCount } from './format.ts'
import type { Output } from './output.ts'
import { createProgress } from './progress.ts'

/** Shows the phases of loading a data set (download, verify, read, generate) one after the other on one bar, while `load` runs. */
export async function showLoading<T>(
  output: Output,
  name: string,
  load: (onProgress: (event: DataProgress) => void) => Promise<T>,
): Promise<T> {
  using progress = createProgress(output, { title: name, total: 0, unit: '' })
  return await load(({ phase, name: part, done, total, unit }) => {
    progress.update(done, `${phase} ${part}, ${unit === 'bytes' ? formatBytes(done) : `${formatCount(done)} rows`}`, total)
  })
}
