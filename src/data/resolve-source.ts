import { ConfigError, DataError } from '../errors.ts'
import type { Dataset, DatasetSource } from './dataset.ts'
import { load, type LoadOptions } from './load.ts'
import type { ReadContext } from './read-context.ts'
import { readFile, type ReadFileOptions } from './readers/read-file.ts'
import type { DatasetId } from './registry.ts'
import { split, type SplitOptions } from './split.ts'
import { standardise } from './standardise.ts'
import { take } from './take.ts'
import { faultText } from './fault-text.ts'

/**
 * Loads the rows that a reference names, as another process does it. The caller compares `hash` with that of the rows it means.
 * @throws {DataError} when a file is not there, or a derived set cannot be made again.
 */
export async function resolveSource(source: DatasetSource, context: ReadContext = {}): Promise<Dataset> {
  switch (source.kind) {
    case 'registry':
      return load(source.id as DatasetId, { ...(source.options as LoadOptions), ...context })
    case 'file':
      return readFile(source.path, { ...source.options, reader: source.reader } as ReadFileOptions, context)
    case 'derived':
      return derive(await resolveSource(source.of, context), source)
  }
}

function derive(dataset: Dataset, { operation, options }: Extract<DatasetSource, { kind: 'derived' }>): Dataset {
  switch (operation) {
    case 'take':
      return take(dataset, options['rows'] as number)
    case 'split': {
      const { part, ...how } = options
      const [train, test] = split(dataset, how as SplitOptions)
      return part === 'test' ? test : train
    }
    case 'standardise':
      return standardise(dataset)
    case 'test':
      if (dataset.test) return dataset.test
      throw new DataError(
        faultText(`data: ${dataset.name} comes without evaluation rows`, 'a test part', 'none', 'load it where it was made'),
      )
    default:
      throw new ConfigError(
        faultText(
          `data: a source was derived by '${String(operation)}'`,
          'take, split, standardise or test',
          `'${String(operation)}'`,
          'use the same version everywhere',
        ),
      )
  }
}
