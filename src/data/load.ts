import { join } from 'node:path'
import { ConfigError, DataError } from '../errors.ts'
import { nearestName } from '../nearest-name.ts'
import { kinds, requireKind, requireOptions, shown } from '../option-checks.ts'
import type { Corpus, CorpusOptions } from './corpora/corpus.ts'
import { corpora } from './corpora/index.ts'
import type { Dataset } from './dataset.ts'
import { download } from './files/download.ts'
import { cacheFolder, candidates, dataRoots, isFile } from './files/search-path.ts'
import { contentSha256 } from './files/verify-file.ts'
import { generate, type GenerateOptions } from './generators/generate.ts'
import type { GeneratorId } from './generators/index.ts'
import { changeDataset } from './make-dataset.ts'
import { type ReadContext, throwIfAborted } from './read-context.ts'
import { readerById } from './readers/index.ts'
import { type DatasetId, datasetIds, type Registered, registry } from './registry.ts'
import type { CorpusEntry, FileEntry, RegistryEntry, RegistryFile, RegistryPart } from './registry-entry.ts'
import { take } from './take.ts'
import { faultText } from './fault-text.ts'

/** What of a registered data set to load. Plain data. */
export interface LoadOptions extends GenerateOptions, CorpusOptions {
  /** Only the first so many training rows. */
  readonly rows?: number
  /** Only the first so many evaluation rows (generators: how many to make; 0: none). */
  readonly testRows?: number
  /** The suite's size: S for smoke tests, M for ranking; sets `rows` (`ptb`: `tokens`). */
  readonly size?: 'S' | 'M'
  /** `test` gives the evaluation rows as the data set (default `train`, which has them as its `test`). */
  readonly part?: 'train' | 'test'
  /** A folder to look in before all others. */
  readonly folder?: string
  /** Never fetch what is missing (default false; environment variable TUTTI_OFFLINE=1). */
  readonly offline?: boolean
}

/** Options of {@link load} with the call's own signal and listener. */
export type LoadArguments = LoadOptions & ReadContext

const realOptions = ['rows', 'testRows', 'size', 'part', 'folder', 'offline']
const generatorOptions = [...realOptions, 'dims', 'classes', 'values', 'noise', 'seed', 'dtype']

/**
 * Loads a data set by its id: from the first data folder that has its files (`TUTTI_DATA`, `./data`, `../shared/data`, the user's
 * cache), otherwise fetched into the cache, or generated. Every file's checksum is checked once.
 * @throws {DataError} when its files are nowhere and cannot be fetched: it says where they were looked for; or when all copies have
 * another content. {@link ConfigError} for an unknown id or option.
 */
export async function load(id: DatasetId, options: LoadArguments = {}): Promise<Dataset> {
  requireKind('data.load', 'options', kinds.object, options)
  const { signal, onProgress, ...plain } = options
  const context: ReadContext = { ...(signal && { signal }), ...(onProgress && { onProgress }) }
  const { size, ...chosen } = Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined)) as LoadOptions
  if (!Object.hasOwn(registry, id)) {
    const nearest = typeof id === 'string' ? nearestName(id, datasetIds) : undefined
    throw new ConfigError(
      faultText(
        'data: there is no such data set',
        `one of ${datasetIds.join(', ')}`,
        shown(id),
        nearest === undefined ? 'tutti data lists them' : `did you mean ${nearest}?`,
      ),
    )
  }
  const entry = registry[id]
  const known = knownOptions(entry)
  requireOptions(`data: ${id}`, chosen, Object.fromEntries(known.map((name) => [name, true])))
  if (size !== undefined && entry.sizes?.[size] === undefined) {
    throw new ConfigError(
      faultText(
        `data: ${id} has no size ${size}`,
        entry.sizes ? Object.keys(entry.sizes).join(' or ') : 'no size',
        size,
        'give rows instead',
      ),
    )
  }
  const sizesAre = (entry.kind === 'files' && entry.entry.reader === 'corpus' && entry.entry.sizesAre) || 'rows'
  const sized: LoadOptions = size === undefined ? chosen : { [sizesAre]: entry.sizes![size]!, ...chosen }
  throwIfAborted(signal, `loading ${id}`)
  if (entry.kind === 'generated') return loadGenerated(id as GeneratorId, sized, context)
  return loadEntry(entry.entry, sized, context)
}

function knownOptions(registered: Registered): readonly string[] {
  if (registered.kind === 'generated') return generatorOptions
  const { entry } = registered
  return entry.reader === 'corpus' ? [...new Set([...realOptions, ...corpora[entry.corpus].options])] : realOptions
}

async function loadGenerated(id: GeneratorId, options: LoadOptions, context: ReadContext): Promise<Dataset> {
  const { part, folder: _, offline: __, ...rest } = options
  // Rows of the other part need not be made for this one.
  const dataset = await generate(id, part === 'test' ? { ...rest, rows: 1 } : rest, context)
  if (part !== 'test') return dataset
  if (!dataset.test)
    throw new ConfigError(faultText(`${id}: there are no evaluation rows`, 'testRows above 0', rest.testRows, 'raise testRows'))
  return changeDataset(dataset.test, { source: { kind: 'registry', id, options: { ...options } } })
}

/** Loads an entry that need not be in the registry (a data set of the same kind that lies elsewhere). */
export async function loadEntry(entry: RegistryEntry, options: LoadOptions, context: ReadContext): Promise<Dataset> {
  const paths = await locate(entry, options, context)
  if (entry.reader === 'corpus') return loadCorpus(entry, paths, options, context)
  const { part, rows, testRows, ...where } = options
  const source = (own: Record<string, unknown>): Dataset['source'] => ({ kind: 'registry', id: entry.id, options: { ...where, ...own } })
  if (part === 'test' && !entry.test)
    throw new ConfigError(
      faultText(`data: ${entry.id} comes without evaluation rows`, "part 'train'", "'test'", 'cut some off with data.split'),
    )
  // Evaluation rows get the codes that categories have in the whole training file.
  const needsTrain = part !== 'test' || entry.reader === 'csv'
  const train = needsTrain ? await readPart(entry, entry.train, paths, part === 'test' ? undefined : rows, {}, context) : undefined
  const wantsTest = entry.test !== undefined && testRows !== 0
  const categories = train?.categories && { categories: train.categories }
  const test = wantsTest
    ? await readPart(entry, entry.test!, paths, testRows, { name: `${entry.id} test`, ...categories }, context)
    : undefined
  const testSource = source({ part: 'test', ...(testRows !== undefined && { testRows }) })
  const evaluation = test && changeDataset(test, { source: testSource })
  if (part === 'test') {
    if (evaluation) return evaluation
    throw new ConfigError(faultText(`data: ${entry.id} without evaluation rows`, 'testRows above 0', '0', 'leave testRows out'))
  }
  const asked = { ...(rows !== undefined && { rows }), ...(testRows !== undefined && { testRows }) }
  return changeDataset(train!, { test: evaluation, source: source(asked) })
}

async function loadCorpus(entry: CorpusEntry, paths: readonly string[], options: LoadOptions, context: ReadContext): Promise<Dataset> {
  const { part, testRows, folder: _, offline: __, ...own } = options
  const corpus = corpora[entry.corpus] as Corpus
  const { rows, ...others } = own
  const takesRows = corpus.options.includes('rows')
  const { train, test } = await corpus.read(entry.id, paths, takesRows ? own : others, context)
  const source = (more: Partial<LoadOptions>): Dataset['source'] => ({ kind: 'registry', id: entry.id, options: { ...options, ...more } })
  const cut = (whole: Dataset, count: number | undefined): Dataset => {
    if (count === undefined || count === whole.rows) return whole
    if (Number.isInteger(count) && count >= 1 && count < whole.rows) return take(whole, count)
    throw new ConfigError(faultText(`data: ${whole.name} does not have ${count} rows`, `1 to ${whole.rows}`, count, 'ask for fewer rows'))
  }
  if (part === 'test') return changeDataset(cut(test, testRows), { source: source({}) })
  const evaluation = testRows === 0 ? undefined : changeDataset(cut(test, testRows), { source: source({ part: 'test' }) })
  return changeDataset(takesRows ? train : cut(train, rows), { test: evaluation, source: source({}) })
}

async function readPart(
  entry: FileEntry,
  part: RegistryPart<object>,
  paths: readonly string[],
  rows: number | undefined,
  more: Readonly<Record<string, unknown>>,
  context: ReadContext,
): Promise<Dataset> {
  if (rows !== undefined && !(Number.isInteger(rows) && rows >= 1 && rows <= part.rows)) {
    throw new ConfigError(faultText(`data: ${entry.id} does not have ${rows} rows`, `1 to ${part.rows}`, rows, 'ask for fewer rows'))
  }
  const labels = part.labels === undefined ? {} : { labels: paths[part.labels]! }
  const options = { name: entry.id, ...part.options, ...labels, ...more }
  const reader = readerById(entry.reader)!
  // A whole table is read even for a few rows, so that its categories keep their codes; images are not.
  if (entry.reader === 'idx' || entry.reader === 'cifar')
    return reader.read(paths[part.file]!, { ...options, rows: rows ?? part.rows }, context)
  const whole = await reader.read(paths[part.file]!, options, context)
  if (whole.rows !== part.rows)
    throw new DataError(faultText(`data: ${entry.id} has other rows than registered`, part.rows, whole.rows, 'report this'))
  return rows === undefined || rows === part.rows ? whole : changeDataset(take(whole, rows), { source: undefined })
}

/** Finds or fetches all files of an entry; returns their paths in the entry's order. */
async function locate(entry: RegistryEntry, options: LoadOptions, context: ReadContext): Promise<string[]> {
  const roots = options.folder === undefined ? dataRoots() : [options.folder, ...dataRoots()]
  const offline = options.offline ?? process.env['TUTTI_OFFLINE'] === '1'
  const paths: string[] = []
  for (const file of entry.files) {
    const { path, rejected } = await findFile(entry, file, roots, context)
    paths.push(path ?? (await fetchFile(entry, file, roots, rejected, offline, context)))
  }
  return paths
}

async function findFile(
  entry: RegistryEntry,
  file: RegistryFile,
  roots: readonly string[],
  context: ReadContext,
): Promise<{ path?: string; rejected: string[] }> {
  const rejected: string[] = []
  for (const root of roots) {
    for (const path of candidates(root, entry.folders, file.name)) {
      if (!(await isFile(path))) continue
      const sha256 = await contentSha256(path, cacheFolder(), context).catch((error: unknown) => {
        if (error instanceof DataError) return error.message
        throw error
      })
      if (sha256 === file.sha256) return { path, rejected }
      rejected.push(`${path} (${sha256})`)
    }
  }
  return { rejected }
}

async function fetchFile(
  entry: RegistryEntry,
  file: RegistryFile,
  roots: readonly string[],
  rejected: readonly string[],
  offline: boolean,
  context: ReadContext,
): Promise<string> {
  const folder = entry.folders[0]!
  const mend = `put it into ./data/${folder}/, or set TUTTI_DATA to the folder that has ${folder}/`
  const details = { id: entry.id, file: file.name, roots, rejected }
  const others = rejected.length > 0 ? `; another content has ${rejected.join(', ')}` : ''
  const looked = `looked in ${roots.map((root) => join(root, folder)).join(', ')}${others}`
  const expected = `${file.name} with SHA-256 ${file.sha256} of its content`
  const missing = (reason: string, cause?: unknown): DataError =>
    new DataError(faultText(`data: ${entry.id} was not found`, expected, `nothing: ${looked}; ${reason}`, mend), details, cause)
  if (file.urls.length === 0) throw missing(`there is no address to fetch it from (${entry.origin})`)
  if (offline) throw missing(`fetching is switched off; it is at ${file.urls[0]}`)
  const path = join(cacheFolder(), folder, file.name)
  try {
    await download(file.urls, path, { ...context, sha256: file.sha256 })
  } catch (error) {
    if (error instanceof DataError) throw missing(error.message, error)
    throw error
  }
  return path
}

/** Where the files of a data set lie, without reading or fetching them; for a listing. */
export async function whereIs(id: DatasetId): Promise<{ readonly found: boolean; readonly paths: readonly (string | undefined)[] }> {
  const entry = registry[id]
  if (entry.kind === 'generated') return { found: true, paths: [] }
  const paths = await Promise.all(
    entry.entry.files.map(async (file) => {
      for (const root of dataRoots()) {
        for (const path of candidates(root, entry.entry.folders, file.name)) if (await isFile(path)) return path
      }
      return undefined
    }),
  )
  return { found: paths.every((path) => path !== undefined), paths }
}
