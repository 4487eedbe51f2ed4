import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tutti } from '../../../tests/cli/run-command.ts'
import { TrainedModel } from '../../api/trained-model.ts'
import * as nn from '../../nn/index.ts'

/** Two scores of two features: the features themselves. */
const identity = nn.mlp([2, 2], 'identity')
const values = { [identity.parameters[0]!.name]: Float32Array.of(1, 0, 0, 1), [identity.parameters[1]!.name]: Float32Array.of(0, 0) }

let home: string
let model: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tutti-predict-'))
  model = join(home, 'run')
  await mkdir(model)
  new TrainedModel(identity, values).save(join(model, 'model.onnx'))
})

afterEach(async () => {
  await rm(home, { recursive: true, force: true })
})

async function csv(name: string, text: string): Promise<string> {
  const path = join(home, name)
  await writeFile(path, text)
  return path
}

describe('tutti predict', () => {
  it('prints class and probability of every row of a table with names and a label', async () => {
    const path = await csv('rows.csv', 'a,kind,b\n0,x,0\n1,y,0\n-1,x,2\n')
    const { exitCode, stdout, stderr } = await tutti('predict', model, path, '--label', 'kind', '--batch-size', '2')
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
    expect(stdout).toBe('0,0.5\n0,0.731059\n1,0.952574\n')
  })

  it('prints the most likely classes, or the values', async () => {
    const path = await csv('rows.tsv', '1\t0\n-1\t2.25\n')
    expect((await tutti('predict', model, path, '--top', '2')).stdout).toBe('0,0.731059,1,0.268941\n1,0.962673,0,0.0373269\n')
    expect((await tutti('predict', model, path, '--values')).stdout).toBe('1,0\n-1,2.25\n')
    expect((await tutti('predict', model, path, '--values', '--scale', '2', '--shift', '1')).stdout).toBe('3,1\n-1,5.5\n')
  })

  it('writes a table of its own, of any number of blocks', async () => {
    const rows = Array.from({ length: 1000 }, (_, i) => `${i % 7},${3}`)
    const [path, target] = [await csv('many.csv', `${rows.join('\n')}\n`), join(home, 'out.csv')]
    const { stdout } = await tutti('predict', model, path, '-o', target, '--batch-size', '64', '--json')
    expect(JSON.parse(stdout)).toEqual({ model: 'identity', rows: 1000, file: target })
    const lines = (await readFile(target, 'utf8')).trimEnd().split('\n')
    expect(lines[0]).toBe('class,probability')
    expect(lines).toHaveLength(1001)
    lines.slice(1).forEach((line, i) => {
      expect(line.split(',')[0]).toBe(i % 7 >= 3 ? '0' : '1')
    })
  })

  it('reads images, with their own scale, and gives JSON', async () => {
    const path = join(home, 'images-idx3-ubyte.gz')
    await writeFile(path, gzipSync(Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 255, 0, 0, 51, 255, 255)))
    const { stdout } = await tutti('predict', model, path, '--json')
    const { rows, predictions } = JSON.parse(stdout)
    expect(rows).toBe(3)
    expect(predictions.map((each: { classes: { class: number }[] }) => each.classes[0]!.class)).toEqual([0, 1, 0])
    expect(predictions[1].classes[0].probability).toBeCloseTo(1 / (1 + Math.exp(-0.2)), 5)
  })

  it('takes the probabilities of a model that ends in a softmax as they are', async () => {
    const own = nn.model('soft', { x: [2] }, ({ x }) => nn.softmax(x))
    const file = join(home, 'soft.onnx')
    new TrainedModel(own, {}).save(file)
    expect((await tutti('predict', file, await csv('one.csv', '1,0\n'))).stdout).toBe('0,0.731059\n')
  })

  it('refuses what does not fit, in one line', async () => {
    const wide = await csv('wide.csv', 'a,b,c\n1,2,3\n')
    const text = await csv('text.csv', 'a,b\n1,2\n1,two\n')
    const short = await csv('short.csv', '1,2\n3\n')
    const empty = await csv('empty.csv', 'a,b\n')
    for (const [args, line] of [
      [[wide], /wide\.csv line 1: the rows do not fit — expected 2 features, got 3 of 3 columns/],
      [[text], /text\.csv line 3: column 1 is no number — expected a finite number, got 'two'/],
      [[short], /short\.csv line 2: the row has another width — expected 2 fields, got 1/],
      [[empty], /empty\.csv line 1: column 0 is no number/],
      [[join(home, 'absent.csv')], /absent\.csv: cannot be opened/],
      [[wide, '--label', '0', '--top', '3'], /expected --top up to 2, got 3/],
      [[wide, '--label', 'c', '-o', join(wide, 'x.csv')], /cannot be written/],
    ] as const) {
      const { exitCode, stderr } = await tutti('predict', model, ...args)
      expect(stderr).toMatch(line)
      expect(stderr.trim().split('\n')).toHaveLength(1)
      expect(exitCode).toBe(2)
    }
  })

  it('names the row whose number is none of the table, before the model runs', async () => {
    const words = nn.model('words', { tokens: { shape: [2], dtype: 'int32' } }, ({ tokens }) =>
      nn.flatten(nn.embedding(tokens, 5, 1, { name: 'words' })),
    )
    const path = join(home, 'words.onnx')
    new TrainedModel(words, { 'words.weight': Float32Array.of(0, 0.1, 1 / 3, 3, 0.011406166478991508) }).save(path)
    const target = join(home, 'made', 'here', 'out.csv')
    const good = await csv('good.csv', '0,4\n2,1\n')
    expect((await tutti('predict', path, good, '--values', '-o', target)).exitCode).toBe(0)
    expect(await readFile(target, 'utf8')).toBe('value0,value1\n0,0.0114061665\n0.33333334,0.1\n')
    for (const [rows, got] of [
      ['0,1\n2,3\n4,5\n', 'got 5 in row 2, column 1'],
      ['0,-1\n2,3\n', 'got -1 in row 0, column 1'],
      ['0,1\n1.5,3\n', 'got 1.5 in row 1, column 0'],
    ] as const) {
      const { exitCode, stderr } = await tutti('predict', path, await csv('bad.csv', rows), '--batch-size', '1')
      expect(exitCode).toBe(2)
      expect(stderr).toBe(
        `tutti: predict: tokens cannot be used — expected whole numbers from 0 to 4 (rows of words.weight), ${got} of bad.csv (rows and columns count from 0)\n`,
      )
    }
  })
})
