import { isDataset } from '../data/dataset.ts'
import { ConfigError } from '../errors.ts'
import { Model } from '../nn/model.ts'
import { requireOptimizer } from '../nn/require-optimizer.ts'
import { requireSchedule } from '../nn/require-schedule.ts'
import { type Kind, kinds, requireKind, requireOptions } from '../option-checks.ts'
import { trainOptions } from './known-options.ts'
import type { TrainSpec } from './spec.ts'
import { TrainedModel } from './trained-model.ts'

const modelKind: Kind = {
  expected: 'a model (nn.model, nn.mlp, …, or a trained one)',
  fits: (value) => value instanceof Model || value instanceof TrainedModel,
}
const dataKind: Kind = { expected: 'a data set (data.load, data.readFile, data.fromArrays, …)', fits: isDataset }
const validationKind: Kind = {
  expected: 'a share of the rows between 0 and 1, or a data set',
  fits: (value) => isDataset(value) || (typeof value === 'number' && value > 0 && value < 1),
}
const endings: Kind = {
  expected: '{ epochs } or { steps } (a metric alone might never be reached)',
  fits: (value) => kinds.object.fits(value),
}

/** Options of each way to deal out rows. */
const partitions = {
  shared: { kind: true },
  iid: { kind: true },
  contiguous: { kind: true },
  byLabel: { kind: true },
  dirichlet: { kind: true, alpha: kinds.positive },
} as const

/** Checks what does not depend on the rest of a spec: names of options, kinds of values, specs that were made by hand. @throws {ConfigError} */
export function checkTrainSpec(spec: TrainSpec): void {
  requireOptions('train', spec, trainOptions)
  requireKind('train', 'model', modelKind, spec.model)
  requireKind('train', 'data', dataKind, spec.data)
  if (spec.validation !== undefined) requireKind('train', 'validation', validationKind, spec.validation)
  requireOptimizer('train', spec.optimizer)
  if (spec.schedule !== undefined) requireSchedule('train', spec.schedule)
  requireKind('train', 'until', endings, spec.until)
  requireOptions('until', spec.until, { epochs: true, steps: true, metric: kinds.number })
  if (spec.earlyStopping !== undefined) requireOptions('earlyStopping', spec.earlyStopping, { patience: true })
  if (spec.augmentation !== undefined) requireOptions('augmentation', spec.augmentation, { flip: kinds.flag, shift: true })
  if (spec.partition !== undefined) checkPartition(spec.partition)
  const { parameters, name } = spec.model instanceof TrainedModel ? spec.model.model : spec.model
  if (parameters.every(({ update = 'optimizer' }) => update !== 'optimizer')) {
    const got = parameters.length === 0 ? 'none' : `${parameters.length} that are frozen`
    throw new ConfigError(`train: there is nothing to train — expected a parameter of ${name} that may change, got ${got} (freeze fewer)`)
  }
}

function checkPartition(given: NonNullable<TrainSpec['partition']>): void {
  const names = Object.keys(partitions)
  const kind: Kind = {
    expected: `one of ${names.map((name) => `{ kind: '${name}' }`).join(', ')} (dirichlet with alpha)`,
    fits: (value) => kinds.object.fits(value) && Object.hasOwn(partitions, (value as { kind: string }).kind),
  }
  requireKind('train', 'partition', kind, given)
  requireOptions('partition', given, partitions[given.kind])
  if (given.kind === 'dirichlet') requireKind('partition', 'alpha', kinds.positive, given.alpha)
}
