/** Files of other programs, a few nodes at a time. */
import { readFileSync } from 'node:fs'
import onnxProto from 'onnx-proto'
import { describe, expect, test } from 'vitest'
import * as nn from '../index.ts'

const { onnx } = onnxProto
const golden = (file: string): Uint8Array => readFileSync(new URL(`../../../tests/golden/onnx-${file}.onnx`, import.meta.url))
const opsOf = (model: nn.Model): string[] => model.graph.nodes.map(({ op }) => op)

type Attributes = Readonly<Record<string, number | readonly number[]>>
type FileNode = readonly [op: string, inputs: readonly string[], outputs: readonly string[], attributes?: Attributes, domain?: string]

interface File {
  readonly nodes: readonly FileNode[]
  readonly inputs?: Readonly<Record<string, readonly (number | string)[]>>
  readonly inputType?: number
  readonly weights?: Readonly<Record<string, readonly [shape: readonly number[], data: readonly number[]]>>
  readonly integers?: Readonly<Record<string, readonly number[]>>
  readonly opset?: number
}

/** Bytes of a file whose output is `y`. */
function file({ nodes, inputs = { x: ['N', 4] }, inputType = 1, weights = {}, integers = {}, opset = 17 }: File): Uint8Array {
  const kinds = onnx.AttributeProto.AttributeType
  return onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: opset }],
    graph: {
      name: 'small',
      node: nodes.map(([opType, input, output, attributes = {}, domain = '']) => ({
        opType,
        domain,
        input: [...input],
        output: [...output],
        attribute: Object.entries(attributes).map(([name, value]) =>
          typeof value === 'number' ? { name, type: kinds.INT, i: value } : { name, type: kinds.INTS, ints: [...value] },
        ),
      })),
      input: Object.entries(inputs).map(([name, shape]) => ({
        name,
        type: {
          tensorType: {
            elemType: inputType,
            shape: { dim: shape.map((extent) => (typeof extent === 'number' ? { dimValue: extent } : { dimParam: extent })) },
          },
        },
      })),
      output: [{ name: 'y' }],
      initializer: [
        ...Object.entries(weights).map(([name, [dims, data]]) => ({ name, dims: [...dims], dataType: 1, floatData: [...data] })),
        ...Object.entries(integers).map(([name, data]) => ({ name, dims: [data.length], dataType: 7, int64Data: [...data] })),
      ],
    },
  }).finish()
}

async function run(bytes: Uint8Array, rows: readonly number[], batchSize = 2): Promise<{ shape: readonly number[]; values: number[] }> {
  const { model, values } = nn.importOnnx(bytes)
  await using predictor = await nn.Predictor.open(model, values, { batchSize })
  const { values: scores } = await predictor.predict(rows)
  return { shape: predictor.shape, values: [...scores] }
}

describe('what cannot be read', () => {
  test('is listed at once, without what the output does not need', () => {
    const nodes: FileNode[] = [
      ['NonMaxSuppression', ['x'], ['unused']],
      ['Sin', ['x'], ['a']],
      ['TopK', ['a'], ['b', 'c']],
      ['TopK', ['b'], ['d', 'e']],
      ['Magic', ['d'], ['y'], {}, 'com.example'],
    ]
    expect(() => nn.importOnnx(file({ nodes }))).toThrow(
      /^import: the file has operators that are not read — TopK × 2, com\.example\.Magic \(docs\/onnx\.md/,
    )
  })

  test('names the forms of recurrent operators that are not read in the same list', () => {
    const inputs = ['x', 'w', 'r', 'b'] as const
    const nodes: FileNode[] = [
      ['GRU', inputs, ['a']],
      ['LSTM', [...inputs, 'lengths'], ['b1']],
      ['LSTM', [...inputs, '', '', '', 'p'], ['c']],
      ['LSTM', inputs, ['d'], { layout: 1 }],
      ['LSTM', inputs, ['e'], { layout: 1 }],
      ['Sum', ['a', 'b1', 'c', 'd', 'e'], ['y']],
    ]
    expect(() => nn.importOnnx(file({ nodes }))).toThrow(
      'GRU with linear_before_reset 0, LSTM with layout 1 × 2, LSTM with peepholes, LSTM with sequence_lens',
    )
  })

  test('is one line, naming the node', () => {
    const cases: readonly (readonly [File, RegExp])[] = [
      [{ nodes: [['Sin', ['x'], ['y']]] }, /import: Sin y computes with values of the input/],
      [{ nodes: [['Relu', ['x'], ['y']]], opset: 12 }, /expected opset 13 to 23, got 12/],
      [{ nodes: [['Relu', ['x'], ['y']]], opset: 24 }, /expected opset 13 to 23, got 24/],
      [{ nodes: [['Relu', ['z'], ['y']]] }, /reads what is not there/],
      [
        { nodes: [['Relu', ['x'], ['y']]], inputs: { x: ['N', 'T'] } },
        /expected \[batch, …\] with numbers, got \[N, T\] \(tutti import --dim T=N, or dims of loadModel\)/,
      ],
      [{ nodes: [['ReduceMean', ['x'], ['y'], { axes: [0] }]] }, /ReduceMean y cannot be read — .*but the batch/],
      [{ nodes: [['Pow', ['x', 'p'], ['y']]], weights: { p: [[], [0.3]] } }, /Pow y has another exponent/],
      [{ nodes: [['Relu', ['w'], ['y']]], weights: { w: [[2], [1, 2]] } }, /has no row per sample/],
    ]
    for (const [given, line] of cases) {
      expect(() => nn.importOnnx(file(given))).toThrow(line)
      expect(() => nn.importOnnx(file(given))).toThrow(/^[^\n]*$/)
    }
  })

  test('are tensors that are damaged', () => {
    const nodes: FileNode[] = [['Mul', ['x', 'w'], ['y']]]
    expect(() => nn.importOnnx(file({ nodes, weights: { w: [[4], [1, 2, 3]] } }))).toThrow(
      /w is damaged — expected 4 elements for \[4\], got 3/,
    )
  })
})

describe('inputs', () => {
  test('of whole numbers are int32, of free dims what is said, and their names usable', () => {
    const nodes: FileNode[] = [['Gather', ['table', 'input:ids'], ['y']]]
    const weights = {
      table: [
        [3, 2],
        [0, 1, 10, 11, 20, 21],
      ] as const,
    }
    const { model } = nn.importOnnx(file({ nodes, weights, inputs: { 'input:ids': ['N', 'T'] }, inputType: 7 }), {
      dims: { T: 3 },
      name: 'words',
    })
    expect(model.name).toBe('words')
    expect(model.inputs).toEqual({ 'input.ids': { shape: [3], dtype: 'int32' } })
    expect(model.graph.outputs[0]?.shape).toEqual(['batch', 3, 2])
  })

  test('with a fixed first extent have any number of rows', async () => {
    const nodes: FileNode[] = [
      ['Reshape', ['x', 'to'], ['a']],
      ['Expand', ['first', 'like'], ['b']],
      ['Concat', ['b', 'a'], ['c'], { axis: 1 }],
      ['Reshape', ['c', 'flat'], ['y']],
    ]
    const bytes = file({
      nodes,
      inputs: { x: [1, 4] },
      weights: {
        first: [
          [1, 1, 2],
          [7, 8],
        ],
      },
      integers: { to: [1, 2, 2], like: [1, 1, 2], flat: [1, -1] },
    })
    expect(await run(bytes, [0, 1, 2, 3, 10, 11, 12, 13])).toEqual({ shape: [6], values: [7, 8, 0, 1, 2, 3, 7, 8, 10, 11, 12, 13] })
  })
})

describe('shapes', () => {
  test('that a file computes follow the batch', async () => {
    const nodes: FileNode[] = [
      ['Shape', ['x'], ['s']],
      ['Gather', ['s', 'zero'], ['n']],
      ['Mul', ['n', 'two'], ['n2']],
      ['Concat', ['n2', 'rest'], ['to'], { axis: 0 }],
      ['Reshape', ['x', 'to'], ['a']],
      ['Mul', ['a', 'w'], ['b']],
      ['Div', ['n2', 'two'], ['back']],
      ['Concat', ['back', 'rest'], ['to2'], { axis: 0 }],
      ['Reshape', ['b', 'to2'], ['y']],
    ]
    const bytes = file({ nodes, weights: { w: [[2], [1, -1]] }, integers: { zero: [0], two: [2], rest: [-1] } })
    expect(await run(bytes, [1, 2, 3, 4, 5, 6, 7, 8])).toEqual({ shape: [4], values: [1, -2, 3, -4, 5, -6, 7, -8] })
  })

  test('of slices: steps, ends beyond the end, and backwards', async () => {
    const nodes: FileNode[] = [
      ['Slice', ['x', 'start', 'far', 'one', 'step'], ['a']],
      ['Slice', ['x', 'last', 'before', 'one', 'back'], ['b']],
      ['Concat', ['a', 'b'], ['y'], { axis: -1 }],
    ]
    const integers = { start: [1], far: [2 ** 40], one: [1], step: [2], last: [-1], before: [-100], back: [-1] }
    expect(await run(file({ nodes, integers }), [0, 1, 2, 3])).toEqual({ shape: [6], values: [1, 3, 3, 2, 1, 0] })
  })
})

describe('parameters', () => {
  test('are stored as our layers have them: dense weights [out, in], with the bias behind', () => {
    const { model, values } = nn.importOnnx(golden('by-hand'))
    expect(model.parameters.find(({ name }) => name === 'dense.kernel')?.shape).toEqual([6, 4])
    expect(opsOf(model).filter((op) => op === 'matmul')).toHaveLength(2)
    expect(Object.keys(values)).toEqual(model.parameters.map(({ name }) => name))
    expect(model.parameters.filter(({ update }) => update === 'statistic').map(({ name }) => name)).toEqual(['bn.mean', 'bn.variance'])
    expect(model.parameters.filter(({ decay }) => decay).map(({ name }) => name)).toEqual(['conv.kernel', 'dense.kernel', 'out.kernel'])
    const norm = model.graph.nodes.find(({ op }) => op === 'batchNorm')
    expect(norm?.attrs).toEqual({ epsilon: 0.001, momentum: 0.01 })
  })

  test('keep the names that folding left, and get those that it took', () => {
    const names = nn.importOnnx(golden('encoder')).model.parameters.map(({ name }) => name)
    expect(names).toContain('encoder.layers.0.self_attn.in_proj_weight')
    expect(names).toContain('encoder.layers.0.linear1.weight')
    expect(names).toContain('encoder.layers.0.norm2.bias')
  })

  test('that were equal at first are not one: each layer has its bias', () => {
    const nodes: FileNode[] = [
      ['Gemm', ['x', 'a.weight', 'a.bias'], ['h'], { transB: 1 }],
      ['Gemm', ['h', 'b.weight', 'a.bias'], ['i'], { transB: 1 }],
      ['Gemm', ['i', 'b.weight', 'b.bias'], ['y'], { transB: 1 }],
    ]
    const square = [[4, 4], Array.from({ length: 16 }, (_, i) => i)] as const
    const weights = {
      'a.weight': square,
      'b.weight': square,
      'a.bias': [[4], [0, 0, 0, 0]] as const,
      'b.bias': [[4], [1, 2, 3, 4]] as const,
    }
    const { model } = nn.importOnnx(file({ nodes, weights }))
    expect(model.parameters.map(({ name }) => name)).toEqual(['a.weight', 'a.bias', 'b.weight', 'b.bias', 'b.bias-2'])
  })

  test('are read from a file beside the model', async () => {
    const bytes = file({ nodes: [['Mul', ['x', 'w'], ['y']]], weights: { w: [[4], [1, 2, 3, 4]] } })
    const model = onnx.ModelProto.decode(bytes)
    const tensor = model.graph!.initializer![0]!
    tensor.floatData = []
    tensor.dataLocation = onnx.TensorProto.DataLocation.EXTERNAL
    tensor.externalData = [
      { key: 'location', value: 'w.bin' },
      { key: 'offset', value: '4' },
      { key: 'length', value: '16' },
    ]
    const moved = onnx.ModelProto.encode(model).finish()
    expect(() => nn.importOnnx(moved)).toThrow(/the weights of w are in another file, w\.bin/)
    const weights = new Uint8Array(Float32Array.of(99, 5, 6, 7, 8).buffer)
    const { values } = nn.importOnnx(moved, { external: (_, offset, length) => weights.subarray(offset, offset + (length ?? 0)) })
    expect([...values['w']!]).toEqual([5, 6, 7, 8])
  })
})

test('a GELU that is written out becomes one operator', () => {
  for (const name of ['mlp', 'encoder', 'encoder-fixed']) {
    const ops = opsOf(nn.importOnnx(golden(name)).model)
    expect(ops).toContain('gelu')
    expect(ops).not.toContain('erf')
  }
})
