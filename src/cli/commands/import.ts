import { extname, resolve } from 'node:path'
import { ConfigError } from '../../errors.ts'
import type { AddCommand } from '../context.ts'
import { findModelFile, requireOtherFile } from '../model-file.ts'
import { argument, parseInteger, repeatable } from '../parse.ts'

interface ImportCommandOptions {
  readonly output: string
  readonly freeze?: readonly string[]
  readonly classes?: number
  readonly dim?: readonly (readonly [name: string, extent: number])[]
  readonly outputName?: string
  readonly name?: string
  readonly seed?: number
}

/** `tutti import`: an ONNX model of any program as a network that can be trained. */
export const addImport: AddCommand = (program, { output }) => {
  program
    .command('import')
    .summary('an ONNX model as a network that can be trained')
    .description(
      'Reads an inference model in the ONNX format (opset 13 to 23) as a network of ours and writes it as one of our .onnx files: a model for ' +
        'train(), tutti export and tutti predict. Floating-point tensors become parameters; some can be frozen, and the last dense layer ' +
        'can be replaced by one for other classes.',
    )
    .argument('<model>', 'an .onnx file of any program, or the folder of a run')
    .requiredOption('-o, --output <file>', 'file to write, .onnx')
    .option('--freeze <pattern>', 'parameters that training leaves alone, such as "features.*" (may be repeated)', repeatable(String))
    .option(
      '--classes <n>',
      'replace the last dense layer by a new one for so many classes',
      argument((text) => parseInteger(text, { min: 1 })),
    )
    .option(
      '--seed <n>',
      'of the first values of the new layer (default 1)',
      argument((text) => parseInteger(text, { min: 0 })),
    )
    .option('--dim <name=n>', 'extent of a free dim other than the batch, such as sequence=64 (may be repeated)', repeatable(parseDim))
    .option('--output-name <name>', 'the output of the file that becomes the model’s (default the first)')
    .option('--name <name>', 'name of the model (default that of the file)')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  tutti import resnet.onnx -o mine.onnx --freeze "layer1.*" --freeze "layer2.*" --classes 10\n' +
        '  tutti import encoder.onnx -o encoder-64.onnx --dim sequence=64',
    )
    .action(async (from: string, options: ImportCommandOptions) => {
      if (extname(options.output) !== '.onnx') {
        throw new ConfigError(`import: no such format — expected a file ending in .onnx, got ${options.output}`)
      }
      const source = await findModelFile('import', from)
      requireOtherFile('import', source, options.output)
      const { loadModel } = await import('../../api/trained-model.ts')
      const { parameterCounts } = await import('../../nn/summary.ts')
      const { dim, name, outputName, freeze = [], classes } = options
      let trained = loadModel(source, {
        ...(dim && { dims: Object.fromEntries(dim) }),
        ...(name === undefined ? {} : { name }),
        ...(outputName === undefined ? {} : { output: outputName }),
      })
      // First frozen, then renewed: the new layer is trained whatever the patterns fit.
      if (freeze.length > 0) trained = trained.freeze(freeze)
      if (classes !== undefined) trained = trained.replaceHead(classes, options.seed)
      trained.save(options.output)
      const { model } = trained
      const { frozen } = parameterCounts(model)
      const result = { source, file: resolve(options.output), model: model.name, parameters: model.numParameters, frozen }
      output.result(result, () => `${model.summary()}\nwritten to ${options.output}`)
    })
}

function parseDim(text: string): readonly [name: string, extent: number] {
  const [, name, extent] = /^(.+)=(\d+)$/.exec(text) ?? []
  if (name === undefined || Number(extent) < 1) throw new ConfigError(`expected a name and a number such as sequence=64, got '${text}'`)
  return [name, Number(extent)]
}
