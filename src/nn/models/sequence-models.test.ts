import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { ConfigError, ShapeError } from '../../errors.ts'
import { u } from '../../rng.ts'
import { compile } from '../../runtime/compile.ts'
import * as nn from '../index.ts'

type Arrays = Record<string, Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>>

/** Weights of a model from its initialisers. */
function weightsOf(model: nn.Model): Arrays {
  const arrays = Object.fromEntries(model.parameters.map((spec) => [spec.name, new Float32Array(nn.parameterLength(spec))]))
  nn.initialise(model.parameters, 5, arrays)
  return Object.fromEntries(Object.entries(arrays).map(([name, values]) => [`param:${name}`, values]))
}

/** Scores, and carried states, for rows of tokens. */
async function scores(model: nn.Model, tokens: readonly (readonly number[])[], weights: Arrays, carried: Arrays = {}): Promise<Arrays> {
  await using executable = await compile(nn.inferenceGraph(model), { batchSize: tokens.length })
  const arrays: Arrays = { ...weights, tokens: Int32Array.from(tokens.flat()) }
  for (const { name, length } of executable.inputs) {
    arrays[name] ??= carried[name.replace('carry:', 'carried:')] ?? new Float32Array(length)
  }
  for (const { name, length } of executable.outputs) arrays[name] = new Float32Array(length)
  await executable.bind(arrays).run()
  return arrays
}

const words = (rows: number, steps: number, vocabulary: number): number[][] =>
  Array.from({ length: rows }, (_, row) => Array.from({ length: steps }, (_, t) => Math.floor(vocabulary * u(3, 4, row, t))))

describe('numbers of parameters', () => {
  test.each([
    // Zaremba et al.'s small model: 10,000·200 + 2·(4·200·401) + 10,000·201.
    [4_651_600, nn.lstmLm()],
    // Three gates instead of four, and a second bias of 200 in each layer.
    [2_000_000 + 2 * (600 * 401 + 200) + 2_010_000, nn.gruLm()],
    // PyTorch: Embedding(V, 128), GRU(128, 128, 2) with one bias for the gates, Linear(256, 128), Linear(128, V).
    [
      5000 * 128 + 4000 * 128 + 4 * (384 * 257 + 128) + 128 * 257 + 4000 * 129,
      nn.seq2seq({ sourceVocabulary: 5000, targetVocabulary: 4000, sourceSteps: 10, targetSteps: 12 }),
    ],
    // Blocks of 12·d² + 13·d, two tables, the last norm, the output.
    [4 * (12 * 128 ** 2 + 13 * 128) + (65 + 64) * 128 + 2 * 128 + 129 * 65, nn.transformerLm({ vocabulary: 65 })],
    // A decoder's block has another attention of 4·d² + 4·d and another norm.
    [
      (500 + 400 + 10 + 12) * 128 + 2 * (12 * 128 ** 2 + 13 * 128) + 2 * (16 * 128 ** 2 + 19 * 128) + 4 * 128 + 129 * 400,
      nn.transformerSeq2seq({ sourceVocabulary: 500, targetVocabulary: 400, sourceSteps: 10, targetSteps: 12, layers: 2 }),
    ],
    // The encoder of ALBERT base with its pooler, and a classifier of two classes.
    [11_683_584 + 2 * 769, nn.albert({ classes: 2 })],
  ])('%i', (expected, model) => {
    expect(model.numParameters).toBe(expected)
  })
})

describe.each([
  ['lstm', nn.lstmLm({ vocabulary: 30, width: 8, steps: 4 }), nn.lstmLm({ vocabulary: 30, width: 8, steps: 8 })],
  ['gru', nn.gruLm({ vocabulary: 30, width: 8, steps: 4 }), nn.gruLm({ vocabulary: 30, width: 8, steps: 8 })],
] as const)('a language model on %s', (_, short, long) => {
  test('reads two batches with a carried state like one batch of twice the length', async () => {
    const text = words(3, 8, 30)
    const weights = weightsOf(long)
    const whole = await scores(long, text, weights)
    const first = await scores(
      short,
      text.map((row) => row.slice(0, 4)),
      weights,
    )
    const second = await scores(
      short,
      text.map((row) => row.slice(4)),
      weights,
      first,
    )
    const [all, early, late] = [whole.output, first.output, second.output].map((each) => [...(each as Float32Array)]) as [
      number[],
      number[],
      number[],
    ]
    const expected = [0, 1, 2].flatMap((row) => [...early.slice(row * 120, row * 120 + 120), ...late.slice(row * 120, row * 120 + 120)])
    expect(Math.max(...all.map((value, i) => Math.abs(value - (expected[i] as number))))).toBeLessThan(1e-6)
    expect(
      Math.max(
        ...[...(whole['carried:state'] as Float32Array)].map((value, i) => Math.abs(value - (second['carried:state']?.[i] as number))),
      ),
    ).toBeLessThan(1e-6)
  })

  test('declares the state in its JSON', () => {
    const copy = nn.modelFromJSON(JSON.parse(JSON.stringify(short)))
    expect(copy.carried).toEqual(short.carried)
    expect(copy.carried.map(({ name }) => name)).toEqual(['state'])
    const { inputs, outputs } = nn.trainingGraph(copy, 'cross-entropy')
    expect(inputs.map(({ name }) => name)).toContain('carry:state')
    expect(outputs.map(({ name }) => name)).toContain('carried:state')
  })
})

describe('an exported file', () => {
  const small = { vocabulary: 20, steps: 4, width: 8 }
  test.each([
    nn.lstmLm(small),
    nn.gruLm(small),
    nn.seq2seq({ sourceVocabulary: 20, targetVocabulary: 20, sourceSteps: 3, targetSteps: 4, width: 8 }),
    nn.transformerLm({ ...small, layers: 1, heads: 2 }),
    nn.transformerEncoder({ ...small, layers: 1, heads: 2, classes: 3, norm: 'post' }),
    nn.transformerSeq2seq({ sourceVocabulary: 20, targetVocabulary: 20, sourceSteps: 3, targetSteps: 4, width: 8, layers: 1, heads: 2 }),
    nn.albert({ ...small, embedding: 4, layers: 2, heads: 2, classes: 3 }),
  ] as nn.Model[])('computes the same scores for any batch: %#', async (model) => {
    const weights = weightsOf(model)
    const named = Object.fromEntries(Object.entries(weights).map(([name, values]) => [name.replace('param:', ''), values as Float32Array]))
    const session = await ort.InferenceSession.create(nn.exportOnnx(model, named))
    const steps = (model.inputs.tokens as { readonly shape: readonly number[] }).shape[0] as number
    for (const rows of [1, 3]) {
      // Segment numbers of ALBERT are 0 and 1, and tokens may be.
      const tokens = words(rows, steps, 2)
      const expected = await scores(model, tokens, weights)
      const feeds: Record<string, ort.Tensor> = { tokens: new ort.Tensor('int32', Int32Array.from(tokens.flat()), [rows, steps]) }
      for (const { name, shape } of model.carried) {
        const zeros = new Float32Array(rows * shape.reduce((product, extent) => product * extent, 1))
        feeds[`carry:${name}`] = new ort.Tensor('float32', zeros, [rows, ...shape])
      }
      for (const [name, { data }] of Object.entries(await session.run(feeds))) {
        const worst = Math.max(...(data as Float32Array).map((value, i) => Math.abs(value - (expected[name]?.[i] as number))))
        expect(worst, name).toBeLessThan(1e-5)
      }
    }
    await session.release()
  })
})

describe('transformers', () => {
  test.each(['pre', 'post'] as const)('a causal position does not see what comes after it: %s-norm', async (norm) => {
    const model = nn.transformerLm({ vocabulary: 20, steps: 6, width: 16, layers: 2, heads: 4, norm })
    const weights = weightsOf(model)
    const text = words(2, 6, 19)
    const changed = text.map((row) => row.map((word, t) => (t < 4 ? word : word + 1)))
    const [before, after] = [await scores(model, text, weights), await scores(model, changed, weights)]
    const [a, b] = [before.output as Float32Array, after.output as Float32Array]
    expect(a.subarray(0, 4 * 20)).toEqual(b.subarray(0, 4 * 20))
    expect(a.subarray(4 * 20, 6 * 20)).not.toEqual(b.subarray(4 * 20, 6 * 20))
  })

  test('a classifier does not see padding', async () => {
    const options = { vocabulary: 20, width: 16, layers: 2, heads: 4, classes: 3 }
    const [short, long] = [nn.transformerEncoder({ ...options, steps: 5 }), nn.transformerEncoder({ ...options, steps: 7 })]
    const weights = weightsOf(long)
    const text = words(3, 5, 19).map((row) => row.map((word) => word + 1))
    const padded = await scores(
      long,
      text.map((row) => [...row, 0, 0]),
      weights,
    )
    const table = weights['param:positions.weight'] as Float32Array<ArrayBuffer>
    const exact = await scores(short, text, { ...weights, 'param:positions.weight': table.slice(0, 5 * 16) })
    const worst = Math.max(...(padded.output as Float32Array).map((value, i) => Math.abs(value - (exact.output?.[i] as number))))
    expect(worst).toBeLessThan(1e-5)
  })

  test('a translator sees all of the source but its padding, and of the target what is before', async () => {
    const size = { sourceVocabulary: 20, targetVocabulary: 20, sourceSteps: 4, targetSteps: 3, width: 16, layers: 2, heads: 4 }
    const model = nn.transformerSeq2seq(size)
    const weights = weightsOf(model)
    const source = [3, 7, 5, 0]
    const outputOf = async (tokens: readonly number[], given = weights): Promise<Float32Array[]> => {
      const { output } = await scores(model, [[...tokens]], given)
      return [0, 1, 2].map((position) => (output as Float32Array).slice(20 * position, 20 * (position + 1)))
    }
    const plain = await outputOf([...source, 1, 8, 9])
    const laterWord = await outputOf([...source, 1, 8, 4])
    expect(laterWord.slice(0, 2)).toEqual(plain.slice(0, 2))
    expect(laterWord[2]).not.toEqual(plain[2])
    const otherSource = await outputOf([3, 7, 6, 0, 1, 8, 9])
    for (const [position, row] of otherSource.entries()) expect(row).not.toEqual(plain[position])
    // What stands for padding does not count: neither its word nor its position.
    const given = { ...weights }
    for (const [name, row] of Object.entries({ 'param:encoder.tokens.weight': 0, 'param:encoder.positions.weight': 3 }))
      given[name] = Float32Array.from(weights[name] as Float32Array, (value, i) => (Math.floor(i / 16) === row ? value + 1 : value))
    for (const [position, row] of (await outputOf([...source, 1, 8, 9], given)).entries()) {
      const worst = Math.max(...row.map((value, i) => Math.abs(value - (plain[position]?.[i] as number))))
      expect(worst).toBeLessThan(1e-5)
    }
  })

  test('the blocks of ALBERT share their parameters', () => {
    const size = { vocabulary: 20, steps: 5, embedding: 4, width: 8, heads: 2, classes: 2, segments: 0 }
    const [one, three] = [nn.albert({ ...size, layers: 1 }), nn.albert({ ...size, layers: 3 })]
    expect(three.parameters).toEqual(one.parameters)
    expect(three.flopsPerSample).toBeGreaterThan(2 * one.flopsPerSample)
    expect(three.summary().split('\n').at(-3)).toContain(three.numParameters.toLocaleString('en-US'))
  })
})

describe('shared and carried', () => {
  test('one parameter in two layers gets the sum of their gradients', async () => {
    const tied = nn.model('tied', { x: [3] }, ({ x }) => {
      const weight = nn.parameter(x, 'w', [3, 3])
      return nn.dense(nn.tanh(nn.dense(x, 3, { weight, bias: false })), 3, { weight, bias: false })
    })
    const free = nn.model('free', { x: [3] }, ({ x }) =>
      nn.dense(nn.tanh(nn.dense(x, 3, { name: 'a', bias: false })), 3, { name: 'b', bias: false }),
    )
    const w = Float32Array.from({ length: 9 }, (_, i) => u(1, 1, 1, i) - 0.5)
    const gradients = async (model: nn.Model, given: Arrays): Promise<Arrays> => {
      await using executable = await compile(nn.trainingGraph(model, 'cross-entropy'), { batchSize: 2 })
      const arrays: Arrays = {
        ...given,
        x: Float32Array.of(1, 2, -1, 0.5, 0.3, 2),
        target: Int32Array.of(0, 2),
        weight: Float32Array.of(1, 1),
        divisor: Float32Array.of(2),
      }
      for (const { name, length } of executable.outputs) arrays[name] = new Float32Array(length)
      await executable.bind(arrays).run()
      return arrays
    }
    const one = (await gradients(tied, { 'param:w': w }))['gradient:w'] as Float32Array
    const two = await gradients(free, { 'param:a.weight': w, 'param:b.weight': w })
    one.forEach((value, i) => {
      expect(value).toBeCloseTo((two['gradient:a.weight']?.[i] as number) + (two['gradient:b.weight']?.[i] as number), 5)
    })
  })

  test('a later use of a shared function must declare the same parameters', () => {
    let units = 4
    const build = (): nn.Model =>
      nn.model('odd', { x: [4] }, ({ x }) => {
        const layer = nn.share((h: nn.Tensor) => nn.dense(h, units))
        const first = layer(x)
        units = 5
        return layer(first)
      })
    expect(build).toThrow(ConfigError)
    units = 4
    expect(build).toThrow('share: a later run declared another parameter — expected dense-1.weight [4, 4], got dense-2.weight [5, 4]')
  })

  test.each<[string, () => (h: nn.Tensor) => nn.Tensor]>([
    [
      'made by another',
      () =>
        nn.share((h) => {
          const inner = nn.share((each: nn.Tensor) => nn.dense(each, 4, { name: 'ffn' }))
          return inner(inner(h))
        }),
    ],
    [
      'called by another',
      () => {
        const inner = nn.share((h: nn.Tensor) => nn.dense(h, 4, { name: 'ffn' }))
        return nn.share((h) => inner(inner(h)))
      },
    ],
  ])('a shared function %s declares its parameters once', (_, make) => {
    const outer = make()
    for (const name of ['first', 'second']) {
      const model = nn.model(name, { x: [4] }, ({ x }) => nn.dense(outer(outer(x)), 2, { name: 'head' }))
      expect(model.parameters.map((spec) => spec.name)).toEqual(['ffn.weight', 'ffn.bias', 'head.weight', 'head.bias'])
      expect(new Set(model.graph.nodes.map(({ layer }) => layer))).toEqual(new Set(['ffn', 'ffn-use2', 'ffn-use3', 'ffn-use4', 'head']))
      const weights = model.graph.nodes.flatMap(({ inputs }) => inputs.filter((id) => id === 'param:ffn.weight'))
      expect(weights).toHaveLength(4)
    }
  })

  test('a carried state must be handed on, in its own shape', () => {
    const lost = (): nn.Model => nn.model('lost', { x: [4] }, ({ x }) => nn.add(x, nn.carry(x, 's', [4])))
    expect(lost).toThrow('lost: the carried state s is never handed on — expected a value for the next batch (nn.carryOut)')
    const bent = (): nn.Model =>
      nn.model('bent', { x: [4] }, ({ x }) => {
        const sum = nn.add(x, nn.carry(x, 's', [4]))
        nn.carryOut('s', nn.dense(sum, 3))
        return sum
      })
    expect(bent).toThrow(ShapeError)
  })
})
