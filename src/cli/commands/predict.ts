import { open } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import type { DataProgress } from '../../data/read-context.ts'
import { ConfigError, DataError } from '../../errors.ts'
import type { Model } from '../../nn/model.ts'
import type { Predictor } from '../../nn/predictor.ts'
import { makeFolder } from '../../records/replace-file.ts'
import type { AddCommand, CommandContext } from '../context.ts'
import { formatCount } from '../format.ts'
import { findModelFile } from '../model-file.ts'
import { argument, parseInteger, parseNumber } from '../parse.ts'
import type { Answer } from '../predict/answers.ts'
import type { RowOptions } from '../predict/row-blocks.ts'
import { createProgress } from '../progress.ts'

interface PredictOptions {
  readonly output?: string
  readonly batchSize: number
  readonly top: number
  readonly values?: boolean
  readonly label?: string
  readonly header?: boolean
  readonly delimiter?: string
  readonly scale?: number
  readonly shift?: number
}

/** `tutti predict`: what a trained network says of the rows of files. */
export const addPredict: AddCommand = (program, context) => {
  program
    .command('predict')
    .summary('what a trained network says of the rows of files')
    .description(
      'Prints one prediction a line: the most likely class and its probability where the network gives several scores a row, else its values. ' +
        'Files are CSV or TSV (read line by line: of any length), IDX images, or CIFAR batches, plain or gzip.',
    )
    .argument('<model>', 'folder of a run, such as runs/2026-01-31-lenet-5, or an .onnx file')
    .argument('<files...>', 'files with rows of features')
    .option('-o, --output <file>', 'write the predictions there, as CSV with a header')
    .option(
      '--batch-size <n>',
      'rows that are computed at once',
      argument((text) => parseInteger(text, { min: 1 })),
      256,
    )
    .option(
      '--top <k>',
      'most likely classes of each row',
      argument((text) => parseInteger(text, { min: 1 })),
      1,
    )
    .option('--values', 'print the values of the network, whatever it is')
    .option('--label <column>', 'column of CSV files that is no feature: first, last, its name, or its number from 0')
    .option('--no-header', 'the first line of CSV files is a row (default: seen from the file)')
    .option('--delimiter <character>', 'between the fields of CSV files (default: seen from the file)')
    .option(
      '--scale <x>',
      'inputs are value·scale + shift (default: as the format says, bytes of images / 255)',
      argument((text) => parseNumber(text)),
    )
    .option(
      '--shift <x>',
      'see --scale',
      argument((text) => parseNumber(text)),
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  tutti predict runs/my-run data/mnist/t10k-images-idx3-ubyte.gz --top 3\n' +
        '  tutti predict iris.onnx measured.csv --label species -o classes.csv',
    )
    .action((from: string, files: string[], options: PredictOptions) => run(from, files, options, context))
}

/** Imported when they are needed; here, because the compiler leaves the path of an `import()` beside `using` as it is. */
const parts = {
  model: () => import('../../api/trained-model.ts'),
  rows: () => import('../predict/row-blocks.ts'),
  answers: () => import('../predict/answers.ts'),
  input: () => import('../../nn/model.ts'),
}

async function run(from: string, files: readonly string[], options: PredictOptions, { output, interrupts }: CommandContext): Promise<void> {
  const { loadModel } = await parts.model()
  const { rowBlocks } = await parts.rows()
  const { answerColumns, answerText } = await parts.answers()
  const source = await findModelFile('predict', from)
  const trained = loadModel(source)
  const input = await onlyInput(trained.model)
  await using predictor = await trained.predictor({ batchSize: options.batchSize })
  const answer = await answererOf(trained.model, predictor, options)
  const sink = options.output === undefined ? undefined : await openSink(options.output)
  const predictions: Answer[] = []
  let rows = 0
  try {
    using stop = interrupts()
    for (const file of files) {
      let rowsBefore = 0
      using progress = createProgress(output, { title: 'predict', total: 0, unit: 'bytes' })
      const onProgress = ({ done, total }: DataProgress): void => progress.update(done, `${formatCount(rows)} rows`, total)
      for await (const { count, values } of rowBlocks(file, input, options.batchSize, rowOptions(options), {
        signal: stop.signal,
        onProgress,
      })) {
        const { values: scores } = await predictor.predict(values).catch((error: unknown) => {
          throw inFile(error, file, rowsBefore)
        })
        const answers = answer(scores, count)
        if (sink !== undefined) {
          if (rows === 0) await sink.write(`${answerColumns(answers[0] as Answer)}\n`)
          await sink.write(`${answers.map(answerText).join('\n')}\n`)
        } else if (output.json) predictions.push(...answers)
        else output.print(answers.map(answerText).join('\n'))
        rows += count
        rowsBefore += count
      }
    }
  } finally {
    await sink?.close()
  }
  if (sink !== undefined) {
    const result = { model: trained.model.name, rows, file: resolve(options.output as string) }
    output.result(result, () => `${options.output}: ${formatCount(rows)} predictions`)
  } else if (output.json) output.result({ model: trained.model.name, rows, predictions }, () => '')
}

/** A fault in a block's row as one of the file's. */
function inFile(error: unknown, file: string, rowsBefore: number): unknown {
  if (!(error instanceof DataError) || typeof error.details['row'] !== 'number') return error
  const row = rowsBefore + error.details['row']
  const message = `${error.message.replace(/ in row \d+/, ` in row ${row}`)} of ${basename(file)} (rows and columns count from 0)`
  return new DataError(message, { ...error.details, row, file })
}

/** What says of rows of scores what is asked. */
async function answererOf(
  model: Model,
  { shape }: Predictor,
  { values: asValues, top }: PredictOptions,
): Promise<(scores: Float32Array, count: number) => Answer[]> {
  const { mostLikely, scoresOf, valuesOf } = await parts.answers()
  const width = shape.reduce((product, extent) => product * extent, 1)
  const isClassifier = asValues !== true && shape.length === 1 && width > 1
  if (isClassifier && top > width)
    throw new ConfigError(`predict: there are not so many classes — expected --top up to ${width}, got ${top}`)
  const scores = scoresOf(model)
  return (all, count) =>
    Array.from({ length: count }, (_, i) => {
      const row = all.subarray(i * width, (i + 1) * width)
      return isClassifier ? mostLikely(row, scores, top) : valuesOf(row)
    })
}

async function onlyInput(model: Model): Promise<{ readonly name: string; readonly width: number }> {
  const { inputType } = await parts.input()
  const [first, ...others] = Object.entries(model.inputs)
  if (first === undefined || others.length > 0) {
    const names = Object.keys(model.inputs).join(', ')
    throw new ConfigError(`predict: ${model.name} has several inputs — expected one that gets the rows, got ${names}`)
  }
  const [name, spec] = first
  return { name, width: inputType(spec).shape.reduce((product, extent) => product * extent, 1) }
}

function rowOptions({ label, header, delimiter, scale, shift }: PredictOptions): RowOptions {
  const column = label !== undefined && /^-?\d+$/.test(label) ? Number(label) : label
  return {
    ...(column === undefined ? {} : { label: column }),
    ...(header === false ? { header } : {}),
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(scale === undefined ? {} : { scale }),
    ...(shift === undefined ? {} : { shift }),
  }
}

async function openSink(path: string): Promise<{ write(text: string): Promise<unknown>; close(): Promise<void> }> {
  const opened = async (): ReturnType<typeof open> => {
    makeFolder(dirname(path))
    return open(path, 'w')
  }
  const file = await opened().catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(`predict: ${path} cannot be written — expected a writable file, got ${error.code}`)
  })
  return { write: (text) => file.write(text), close: () => file.close() }
}
