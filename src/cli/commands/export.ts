import { extname, resolve } from 'node:path'
import { Option } from 'commander'
import { ConfigError } from '../../errors.ts'
import type { TensorNaming } from '../../nn/tensor-names.ts'
import type { AddCommand } from '../context.ts'
import { formatBytes, formatCount } from '../format.ts'
import { replaceFile } from '../../records/replace-file.ts'
import { findModelFile, requireOtherFile } from '../model-file.ts'

interface ExportOptions {
  readonly output: string
  readonly names: TensorNaming
}

const formats = ['.onnx', '.safetensors'] as const
type Format = (typeof formats)[number]

/** `tutti export`: a trained network as ONNX (the inference model) or safetensors (the parameters alone). */
export const addExport: AddCommand = (program, { output }) => {
  program
    .command('export')
    .summary('a trained network as ONNX or safetensors')
    .description(
      'Writes the network of a finished run, or of an .onnx file, as .onnx (inference model, standard operators of opset 17, any number of ' +
        'rows, runs anywhere) or .safetensors (parameters by name, readable by PyTorch). The ending of --output decides.',
    )
    .argument('<from>', 'folder of a run, such as runs/2026-01-31-lenet-5, or an .onnx file')
    .requiredOption('-o, --output <file>', 'file to write: .onnx or .safetensors')
    .addOption(
      new Option('--names <naming>', "names of safetensors: ours, or those of PyTorch's modules")
        .choices(['tutti', 'hugging-face'])
        .default('tutti'),
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  tutti export runs/my-run -o lenet5.onnx\n  tutti export lenet5.onnx -o lenet5.safetensors --names hugging-face',
    )
    .action(async (from: string, { output: target, names }: ExportOptions) => {
      const format = requireFormat(target)
      const source = await findModelFile('export', from)
      if (format === '.onnx' && names !== 'tutti')
        throw new ConfigError(`export: --names is for .safetensors — expected no --names beside an .onnx file, got ${names}`)
      requireOtherFile('export', source, target)
      const { bytes, parameters } = await convert(source, format, names)
      replaceFile(target, bytes)
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

async function convert(source: string, format: Format, names: TensorNaming): Promise<{ bytes: Uint8Array; parameters: number }> {
  const { loadModel } = await import('../../api/trained-model.ts')
  const { exportOnnx } = await import('../../nn/onnx/write.ts')
  const { model, values } = loadModel(source)
  const parameters = Object.values(values).reduce((sum, array) => sum + array.length, 0)
  if (format === '.onnx') return { bytes: exportOnnx(model, values), parameters }
  const { encodeSafetensors } = await import('../../train/safetensors.ts')
  const { namedTensors } = await import('../../nn/tensor-names.ts')
  const tensors = namedTensors(model, values, names) as Parameters<typeof encodeSafetensors>[0]
  // PyTorch's loader asks for the format that the tensors came from: theirs are laid out as ours.
  return { bytes: encodeSafetensors(tensors, { format: 'pt', model: model.name }), parameters }
}
