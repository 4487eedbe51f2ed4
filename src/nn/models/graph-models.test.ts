import { readFile } from 'node:fs/promises'
import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { ConfigError, ShapeError } from '../../errors.ts'
import { bindBatch } from '../../graph/bind.ts'
import { elementCount } from '../../graph/graph.ts'
import { evaluate } from '../../runtime/drivers/reference.ts'
import * as nn from '../index.ts'
import type { LossName } from '../losses.ts'

type Golden = Readonly<Record<string, { readonly loss: number; readonly gradients: readonly number[] }>>
const golden = JSON.parse(await readFile(new URL('../../../tests/golden/graph-models.json', import.meta.url), 'utf8')) as Golden

const edges = [0, 1, 0, 2, 1, 2, 3, 1, 4, 3]
const graph = { edges, nodes: 6, features: 5, classes: 3 }
const topics = [0, 2, -1, 1, -1, 2]
const small = { hidden: [4] }

interface Case {
  readonly name: string
  readonly model: nn.Model
  readonly loss: LossName
  readonly batch: number
  /** Divisor of the loss: rows, or positions that count. */
  readonly divisor: number
  readonly target: readonly number[]
  /** Of an int32 input; others are waves. */
  readonly ids?: readonly number[]
}

const cases: readonly Case[] = [
  { name: 'gcn', model: nn.gcn({ ...graph, hidden: 4, dropout: 0 }), loss: 'cross-entropy', batch: 1, divisor: 4, target: topics },
  {
    name: 'graph_sage',
    model: nn.graphSage({ ...graph, ...small, dropout: 0 }),
    loss: 'cross-entropy',
    batch: 1,
    divisor: 4,
    target: topics,
  },
  {
    name: 'matrix_factorisation',
    model: nn.matrixFactorisation({ users: 3, items: 4, factors: 2 }),
    loss: 'mean-squared-error',
    batch: 3,
    divisor: 3,
    target: [4, 2.5, 3],
    ids: [0, 1, 2, 3, 0, 0],
  },
  {
    name: 'ctr_network',
    model: nn.ctrNetwork({ fields: 3, ids: 9, rows: 5, width: 2, ...small }),
    loss: 'binary-cross-entropy',
    batch: 2,
    divisor: 2,
    target: [1, 0],
    ids: [0, 3, 8, 1, 5, 6],
  },
  {
    name: 'duelling',
    model: nn.dqn({ state: [3], actions: 2, duelling: true, body: small }),
    loss: 'mean-squared-error',
    batch: 2,
    divisor: 2,
    target: [1, 2, 3, 4],
  },
  {
    name: 'actor_critic',
    model: nn.actorCritic({ state: [3], actions: 2, body: { ...small, activation: 'tanh' } }),
    loss: 'mean-squared-error',
    batch: 2,
    divisor: 2,
    target: [1, 2, 3, 4, 5, 6],
  },
]

const wave = (length: number, start: number, scale: number): Float64Array =>
  Float64Array.from({ length }, (_, j) => scale * Math.sin(start + j))

describe('loss and gradients are those of PyTorch', () => {
  test.each(cases)('$name', ({ name, model, loss, batch, divisor, target, ids }) => {
    const bound = bindBatch(nn.trainingGraph(model, loss), batch)
    const order = model.parameters.map((parameter) => `param:${parameter.name}`)
    const given: Record<string, ArrayLike<number>> = { target, weight: Array<number>(batch).fill(1), divisor: [divisor] }
    const feeds = bound.inputs.map((input) => {
      const length = elementCount(input.shape.map(Number))
      const parameter = order.indexOf(input.name)
      const values = given[input.name] ?? (parameter >= 0 ? wave(length, 1 + 17 * parameter, 0.3) : (ids ?? wave(length, 3, 0.5)))
      expect(values.length, input.name).toBe(length)
      return [input.name, Float64Array.from(values)] as const
    })
    const result = evaluate(bound, Object.fromEntries(feeds))
    expect(result['loss']?.[0]).toBeCloseTo(golden[name]!.loss, 12)
    const digests = model.parameters.map((parameter) =>
      result[`gradient:${parameter.name}`]!.reduce((sum, value, j) => sum + value * Math.cos(j), 0),
    )
    expect(digests).toHaveLength(golden[name]!.gradients.length)
    for (const [i, digest] of digests.entries()) expect(digest, order[i]).toBeCloseTo(golden[name]!.gradients[i]!, 12)
  })
})

test.each([nn.gcn({ ...graph, hidden: 4 }), nn.graphSage({ ...graph, ...small })])('$name exports with a free batch', async (model) => {
  const values = Object.fromEntries(
    model.parameters.map(({ name }, i) => [name, Float32Array.from(wave(nn.parameterLength(model.parameters[i]!), 1 + 17 * i, 0.3))]),
  )
  const session = await ort.InferenceSession.create(nn.exportOnnx(model, values))
  const x = wave(2 * 6 * 5, 3, 0.5)
  const { output } = await session.run({ nodes: new ort.Tensor('float32', Float32Array.from(x), [2, 6, 5]) })
  const parameters = Object.entries(values).map(([name, array]) => [`param:${name}`, Float64Array.from(array)] as const)
  const ours = evaluate(bindBatch(nn.inferenceGraph(model), 2), { ...Object.fromEntries(parameters), nodes: x })['output']!
  expect(output!.dims).toEqual([12, 3])
  for (const [i, value] of ours.entries()) expect(Math.abs(value - (output!.data[i] as number))).toBeLessThan(1e-5)
})

describe('numbers of parameters', () => {
  test.each([
    ['gcn on Cora', nn.gcn({ edges, nodes: 2708, features: 1433, classes: 7 }), 23_040],
    ['matrix factorisation of MovieLens', nn.matrixFactorisation(), 204_477],
    ['ctr network', nn.ctrNetwork(), 928_929],
    ['DQN of Nature, four actions', nn.dqn({ state: [4, 84, 84], actions: 4 }), 1_686_180],
    ['A3C, feed-forward, four actions', nn.actorCritic({ state: [4, 84, 84], actions: 4, body: { kind: 'a3c' } }), 677_429],
    ['agent of CartPole', nn.actorCritic({ state: [4], actions: 2, shared: false, body: { activation: 'tanh' } }), 9155],
  ] as const)('%s', (_, model, count) => {
    expect(model.numParameters).toBe(count)
  })

  test('only the first layer of the graph network decays', () => {
    const decays = nn.gcn({ ...graph }).parameters.map(({ name, decay }) => `${name} ${decay}`)
    expect(decays).toEqual(['c1.weight true', 'c2.weight false'])
  })
})

describe('refusals', () => {
  test('edges of nodes that are not there, states without rows and columns, rows that are no graph', () => {
    expect(() => nn.gcn({ ...graph, edges: [0, 6] })).toThrow(/an edge has no end — expected nodes from 0 to 5, got 0 and 6/)
    expect(() => nn.dqn({ state: [4], actions: 2, body: { kind: 'nature' } })).toThrow(ConfigError)
    expect(() => nn.model('flat', { x: [4] }, ({ x }) => nn.neighbours(x, edges))).toThrow(ShapeError)
  })
})
