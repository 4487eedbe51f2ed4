import { dirname } from 'node:path'
import type { Command } from 'commander'
import type { Dataset, DatasetId } from '../../data/index.ts'
import { ConfigError } from '../../errors.ts'
import { didYouMean } from '../../nearest-name.ts'
import type { AddCommand, CommandContext } from '../context.ts'
import { showLoading } from '../data-progress.ts'
import { listDatasets } from '../dataset-list.ts'
import { formatCount } from '../format.ts'
import { formatFacts, formatTable } from '../table.ts'

/** `tutti data list | show ID | fetch ID`: the data sets, where they lie, what is in them. */
export const addData: AddCommand = (program, context) => {
  const data = program
    .command('data')
    .summary('data sets: list, show, fetch')
    .description(
      'Data sets by id: real ones are looked for in TUTTI_DATA (folders separated as in PATH), ./data, ../shared/data and the cache; ' +
        'generated ones are made when they are needed.',
    )
    .addHelpText('after', '\nExamples:\n  tutti data list\n  tutti data show mnist\n  tutti data fetch mnist')
  data
    .command('list', { isDefault: true })
    .description('all data sets, and where they are')
    .allowExcessArguments()
    .option('--json', 'print one JSON document')
    .action((_options: unknown, { args: [word] }: Command) => {
      if (word === undefined) return list(context)
      throw new ConfigError(`data: there is no '${word}' — expected list, show or fetch${didYouMean(word, ['list', 'show', 'fetch'])}`)
    })
  data
    .command('show')
    .description('what is in one: rows, shape, classes, checksum, files')
    .argument('<id>', 'a data set, such as mnist')
    .option('--json', 'print one JSON document')
    .action((id: string) => show(id, context))
  data
    .command('fetch')
    .description('downloads one into the cache, unless it is there, and checks it')
    .argument('<id>', 'a data set, such as mnist')
    .option('--json', 'print one JSON document')
    .action((id: string) => fetchData(id, context))
}

/** Imported when it is needed; here, because the compiler leaves the path of an `import()` beside `using` as it is. */
const dataLayer = () => import('../../data/index.ts')

async function list({ output }: CommandContext): Promise<void> {
  const listed = await listDatasets()
  output.result(listed, () =>
    formatTable(listed, [
      { title: 'data set', value: (row) => row.id },
      { title: 'what', value: (row) => row.title },
      { title: 'task', value: (row) => row.task },
      { title: 'rows', value: (row) => formatCount(row.rows), align: 'right' },
      { title: 'test rows', value: (row) => (row.testRows === 0 ? undefined : formatCount(row.testRows)), align: 'right' },
      { title: 'where', value: (row) => row.folder ?? row.place },
    ]),
  )
}

async function show(text: string, { output, interrupts }: CommandContext): Promise<void> {
  const { load, whereIs } = await dataLayer()
  const id = await requireId(text)
  using stop = interrupts()
  const { paths } = await whereIs(id)
  const dataset = await showLoading(output, id, (onProgress) => load(id, { offline: true, signal: stop.signal, onProgress }))
  const facts = describe(dataset, paths)
  output.result(facts, () => formatFacts(Object.entries(facts).map(([name, value]) => [name, describeValue(value)])))
}

async function fetchData(text: string, { output, interrupts }: CommandContext): Promise<void> {
  const { load, whereIs } = await dataLayer()
  const id = await requireId(text)
  using stop = interrupts()
  const { rows, hash } = await showLoading(output, id, (onProgress) => load(id, { signal: stop.signal, onProgress }))
  const { paths } = await whereIs(id)
  const places = paths.filter((path) => path !== undefined)
  output.result({ id, rows, sha256: hash, paths: places }, () => `${id}: ${formatCount(rows)} rows, ${placesOf(places)}`)
}

const placesOf = (paths: readonly string[]): string => (paths.length === 0 ? 'generated when needed' : `in ${dirname(paths[0]!)}`)

async function requireId(text: string): Promise<DatasetId> {
  const { datasetIds } = await dataLayer()
  const id = datasetIds.find((known) => known === text)
  if (id === undefined)
    throw new ConfigError(
      `data: there is no data set '${text}'${didYouMean(text, datasetIds) || ` — expected one of ${datasetIds.join(', ')}`}`,
    )
  return id
}

function describe(dataset: Dataset, paths: readonly (string | undefined)[]): Record<string, unknown> {
  const { name, rows, features, target, classes, normalize, hash, test } = dataset
  return {
    name,
    rows,
    testRows: test?.rows ?? 0,
    features: `${features.dtype} [${features.shape.join(', ')}]`,
    target: target === undefined ? 'none' : `${target.dtype} [${target.shape.join(', ')}]`,
    ...(classes && describeClasses(classes, target!)),
    normalize: `value · ${normalize.scale} + ${normalize.shift}`,
    sha256: hash,
    files: paths.filter((path) => path !== undefined),
  }
}

/** Classes with their rows; of a vocabulary how many there are. */
function describeClasses(classes: readonly string[], target: NonNullable<Dataset['target']>): Record<string, unknown> {
  if (target.shape.length > 1) return { classes: classes.length > 100 ? `${formatCount(classes.length)} of a vocabulary` : classes }
  return { classes, rowsPerClass: countClasses(target.values, classes.length) }
}

function countClasses(labels: ArrayLike<number>, numClasses: number): number[] {
  const counts = new Array<number>(numClasses).fill(0)
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++
  return counts
}

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ')
  return typeof value === 'number' ? formatCount(value) : String(value)
}
