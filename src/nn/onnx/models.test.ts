/** Every model of the package as a standard ONNX file: what it computes, with any number of rows, and what the checker of the standard says. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import onnxProto from 'onnx-proto'
import * as ort from 'onnxruntime-node'
import { afterAll, describe, expect, test } from 'vitest'
import { bindShape, elementCount, parameterPrefix } from '../../graph/graph.ts'
import { u } from '../../rng.ts'
import { compile } from '../../runtime/compile.ts'
import * as nn from '../index.ts'

const graph = { edges: [0, 1, 1, 2, 2, 3, 0, 4, 4, 5], nodes: 6, features: 5, classes: 3 }
const words = { vocabulary: 30, width: 8, steps: 4, layers: 1, heads: 2, feedForward: 16 }

/** Models, with the number below which their whole-number inputs lie. */
const models: readonly (readonly [nn.Model, number?])[] = [
  [nn.mlp([7, 5, 3])],
  [nn.lenet5()],
  [nn.alexnetNarrow()],
  [nn.vgg('A', { classes: 4, size: 32, divisor: 16, hidden: 16, batchNorm: true })],
  [nn.resnet(18, { classes: 4, size: 32 })],
  [nn.resnetCifar(8, { widths: [4, 6, 8], size: 16 })],
  [nn.resnetCifar(8, { widths: [4, 6, 8], size: 16, shortcut: 'projection' })],
  [nn.wideResnet(10, 1, { size: 16, dropout: 0.3 })],
  [nn.mobileNetV2({ classes: 4, size: 32, width: 0.25, skippedStrides: 3 })],
  [nn.inceptionNarrow()],
  [nn.unet({ size: 16, channels: 1, widths: [2, 4, 6] })],
  [nn.cnn3d({ size: 16, widths: [2, 3], hidden: [8] })],
  [nn.resAttNet3d({ size: 16, widths: [2, 3] })],
  [nn.lstmLm({ vocabulary: 30, width: 8, steps: 4, layers: 2 }), 30],
  [nn.gruLm({ vocabulary: 30, width: 8, steps: 4 }), 30],
  [nn.seq2seq({ sourceVocabulary: 11, targetVocabulary: 9, sourceSteps: 4, targetSteps: 5, width: 8, layers: 1 }), 9],
  [nn.transformerLm(words), 30],
  [nn.transformerEncoder({ ...words, classes: 3, norm: 'post' }), 30],
  [nn.transformerSeq2seq({ sourceVocabulary: 11, targetVocabulary: 9, sourceSteps: 4, targetSteps: 5, width: 8, layers: 1, heads: 2 }), 9],
  [nn.albert({ vocabulary: 30, steps: 5, embedding: 4, width: 8, layers: 2, heads: 2, feedForward: 16, classes: 2 }), 2],
  [nn.gcn(graph)],
  [nn.graphSage({ ...graph, hidden: [4] })],
  [nn.matrixFactorisation({ users: 5, items: 6, factors: 3 }), 5],
  [nn.ctrNetwork({ fields: 3, ids: 9, rows: 5, width: 2, hidden: [4] }), 9],
  [nn.dqn({ state: [4, 84, 84], actions: 3, duelling: true })],
  [nn.dqn({ state: [3], actions: 2, body: { kind: 'mlp', hidden: [4] } })],
  [nn.actorCritic({ state: [3], actions: 2, body: { kind: 'mlp', hidden: [4], activation: 'tanh' } })],
]

const folder = mkdtempSync(join(tmpdir(), 'tutti-onnx-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

function initialised(model: nn.Model): Record<string, Float32Array<ArrayBuffer>> {
  const values = Object.fromEntries(model.parameters.map((spec) => [spec.name, new Float32Array(nn.parameterLength(spec))]))
  nn.initialise(model.parameters, 4, values)
  for (const { name, update } of model.parameters) {
    // Statistics that are not those of the first step; variances stay above zero.
    if (update === 'statistic') values[name] = Float32Array.from(values[name] ?? [], (value, i) => value + 0.3 * u(7, 1, 0, i))
  }
  return values
}

/** Runs a file with random rows, and the model itself: all outputs agree. */
async function compareWithFile(
  model: nn.Model,
  values: ReturnType<typeof initialised>,
  below: number,
  bytes: Uint8Array,
  batchSize: number,
) {
  const inference = nn.inferenceGraph(model)
  await using executable = await compile(inference, { batchSize })
  const fed: Record<string, ort.Tensor> = {}
  const bound: Record<string, Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>> = {}
  for (const [n, input] of inference.inputs.entries()) {
    const stored = values[input.name.slice(parameterPrefix.length)]
    if (input.name.startsWith(parameterPrefix) && stored !== undefined) {
      bound[input.name] = stored
      continue
    }
    const shape = bindShape(input.shape, batchSize)
    const draw = (i: number): number => u(3, n, 0, i)
    const numbers = Array.from({ length: elementCount(shape) }, (_, i) =>
      input.dtype === 'int32' ? Math.floor(below * draw(i)) : draw(i) - 0.5,
    )
    const array = input.dtype === 'int32' ? Int32Array.from(numbers) : Float32Array.from(numbers)
    bound[input.name] = array
    fed[input.name] = new ort.Tensor(input.dtype as 'float32', array as Float32Array, shape)
  }
  for (const { name: output, length } of executable.outputs) bound[output] = new Float32Array(length)
  await executable.bind(bound).run()
  const session = await ort.InferenceSession.create(bytes)
  const results = await session.run(fed)
  await session.release()
  for (const { name: output, shape } of executable.outputs) {
    expect(results[output]?.dims).toEqual(shape)
    const theirs = results[output]?.data as Float32Array
    const far = Array.from(bound[output] ?? []).filter(
      (value, i) => !(Math.abs(value - (theirs[i] as number)) <= 1e-5 * Math.max(1, Math.abs(value))),
    )
    expect(far).toEqual([])
  }
}

/** Models whose files hold operators that are not read: recurrent layers are unrolled along the batch, graphs scatter. */
const isWrittenOnly = (model: nn.Model): boolean => model.graph.nodes.some(({ op }) => ['lstm', 'gru', 'neighbourSum'].includes(op))

describe.each(models.map(([model, below], i) => ({ name: `${i} ${model.name}`, model, below: below ?? 1 })))(
  '$name',
  ({ name, model, below }) => {
    const values = initialised(model)
    const bytes = nn.exportOnnx(model, values)
    writeFileSync(join(folder, `${name.replaceAll(' ', '-')}.onnx`), bytes)

    test.each([1, 3])('computes the same as a file, with %i rows', (batchSize) => compareWithFile(model, values, below, bytes, batchSize))

    test.skipIf(isWrittenOnly(model))('and when it is read as a file of another program, and written again', async () => {
      const file = onnxProto.onnx.ModelProto.decode(bytes)
      file.metadataProps = []
      const imported = nn.importOnnx(onnxProto.onnx.ModelProto.encode(file).finish())
      expect(imported.model.graph).not.toEqual(model.graph)
      await compareWithFile(model, values, below, nn.exportOnnx(imported.model, imported.values), 2)
    })
  },
)

const hasChecker = spawnSync('python3', ['-c', 'import onnx'], { stdio: 'ignore' }).status === 0

test.skipIf(!hasChecker)('the checker of the standard finds no fault in any of the files', { timeout: 120_000 }, () => {
  const script = [
    'import glob, sys, onnx',
    'files = glob.glob(sys.argv[1] + "/*.onnx")',
    'for file in files:',
    '    try: onnx.checker.check_model(file, full_check=True)',
    '    except Exception as fault: print(file, fault)',
    '    model = onnx.load(file)',
    '    foreign = {node.domain for node in model.graph.node} - {""}',
    '    if foreign or [(o.domain, o.version) for o in model.opset_import] != [("", 17)]: print(file, foreign, model.opset_import)',
    'print(len(files))',
  ].join('\n')
  const { stdout, stderr } = spawnSync('python3', ['-c', script, folder], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(stdout.trim()).toBe(String(models.length))
})
