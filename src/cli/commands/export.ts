import { readFile, stat, writeFile } from 'node:fs/promises'
import { extname, join, resolve } from 'node:path'
import { ConfigError, DataError } from '../../errors.ts'
import type { AddCommand } from '../context.ts'
import { formatBytes, formatCount } from '../format.ts'

interface ExportOptions {
  readonly output: string
}

const formats = ['.onnx', '.safetensors'] as const
type Format = (typeof formats)[number]

/** `tutti export`: a trained network as ONNX (the inference model) or safetensors (the parameters alone). */
export const addExport: AddCommand = (program, { output }) => {
  program
    .command('export')
    .summary('a trained network as ONNX or safetensors')
    .description(
      'Writes the network of a finished run, or of an .onnx file that this package wrote, as .onnx (inference model, standard operators, runs ' +
        'anywhere) or .safetensors (parameters by name). The ending of --output decides.',
    )
    .argument('<from>', 'folder of a run, such as runs/2026-01-31-lenet-5, or an .onnx file')
    .requiredOption('-o, --output <file>', 'file to write: .onnx or .safetensors')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  tutti export runs/my-run -o lenet5.onnx\n  tutti export lenet5.onnx -o lenet5.safetensors')
    .action(async (from: string, { output: target }: ExportOptions) => {
      const format = requireFormat(target)
      const source = await findModel(from)
      const { bytes, parameters } = await convert(source, format)
      await writeFile(target, bytes).catch((error: NodeJS.ErrnoException) => {
        throw new ConfigError(`export: ${target} cannot be written — expected a writable file in an existing folder, got ${error.code}`)
      })
      const result = { source, file: resolve(target), bytes: bytes.byteLength, parameters }
      output.result(result, () => `${target}: ${formatCount(parameters)} parameters, ${formatBytes(bytes.byteLength)}`)
    })
}

function requireFormat(target: string): Format {
  const ending = extname(target)
  const format = formats.find((known) => known === ending)
  if (format === undefined)
    throw new ConfigError(`export: no such format — expected a file ending in ${formats.join(' or ')}, got ${target}`)
  return format
}

async function findModel(from: string): Promise<string> {
  const found = await stat(from).catch(() => undefined)
  if (found === undefined) throw new ConfigError(`export: there is no ${from} — expected the folder of a run or an .onnx file`)
  if (found.isFile()) return resolve(from)
  const model = join(resolve(from), 'model.onnx')
  if ((await stat(model).catch(() => undefined)) === undefined) {
    throw new DataError(
      `export: ${from} holds no model.onnx — expected the folder of a finished training run (go on with an unfinished one by tutti run --resume ${from})`,
    )
  }
  return model
}

async function convert(source: string, format: Format): Promise<{ bytes: Uint8Array; parameters: number }> {
  const { importOnnx } = await import('../../nn/onnx/read.ts')
  const { exportOnnx } = await import('../../nn/onnx/write.ts')
  const { model, values } = importOnnx(await readFile(source))
  const parameters = Object.values(values).reduce((sum, array) => sum + array.length, 0)
  if (format === '.onnx') return { bytes: exportOnnx(model, values), parameters }
  const { encodeSafetensors } = await import('../../train/safetensors.ts')
  const tensors = Object.fromEntries(model.parameters.map(({ name, shape }) => [name, { shape, values: values[name]! }]))
  return { bytes: encodeSafetensors(tensors, { model: model.name }), parameters }
}
