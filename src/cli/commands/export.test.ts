import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tutti } from '../../../tests/cli/run-command.ts'
import * as nn from '../../nn/index.ts'
import { mlp } from '../../nn/models/mlp.ts'
import { importOnnx } from '../../nn/onnx/read.ts'
import { exportOnnx } from '../../nn/onnx/write.ts'
import { parameterLength } from '../../nn/parameter.ts'
import { decodeSafetensors } from '../../train/safetensors.ts'

const model = mlp([4, 3, 2])
const values = Object.fromEntries(
  model.parameters.map((spec, i) => [spec.name, Float32Array.from({ length: parameterLength(spec) }, (_, j) => i + j / 16)]),
)

let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tutti-export-'))
  await mkdir(join(home, 'run'))
  await writeFile(join(home, 'run', 'model.onnx'), exportOnnx(model, values))
})

afterEach(async () => {
  await rm(home, { recursive: true, force: true })
})

describe('tutti export', () => {
  it('writes the parameters of a run as safetensors', async () => {
    const target = join(home, 'out.safetensors')
    const { exitCode, stdout, stderr } = await tutti('export', join(home, 'run'), '-o', target, '--json')
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ file: target, parameters: 4 * 3 + 3 + 3 * 2 + 2 })
    const { tensors, metadata } = decodeSafetensors(await readFile(target), target)
    expect(metadata).toEqual({ format: 'pt', model: 'mlp-4-3-2' })
    for (const { name, shape } of model.parameters) expect(tensors[name]).toEqual({ shape, values: values[name] })
  })

  it('names them as PyTorch does', async () => {
    const normed = nn.model('normed', { x: [4] }, ({ x }) => nn.dense(nn.layerNorm(x, { name: 'norm' }), 2, { name: 'fc' }))
    const own = Object.fromEntries(normed.parameters.map((spec) => [spec.name, new Float32Array(parameterLength(spec)).fill(0.5)]))
    const [source, target] = [join(home, 'normed.onnx'), join(home, 'normed.safetensors')]
    await writeFile(source, exportOnnx(normed, own))
    expect((await tutti('export', source, '-o', target, '--names', 'hugging-face')).exitCode).toBe(0)
    const { tensors } = decodeSafetensors(await readFile(target), target)
    expect(Object.keys(tensors)).toEqual(['norm.weight', 'norm.bias', 'fc.weight', 'fc.bias'])
    const { exitCode, stderr } = await tutti('export', source, '-o', target, '--names', 'keras')
    expect(exitCode).toBe(2)
    expect(stderr).toContain('tutti, hugging-face')
  })

  it('writes the model of a file as ONNX', async () => {
    const target = join(home, 'copy.onnx')
    expect((await tutti('export', join(home, 'run', 'model.onnx'), '-o', target)).exitCode).toBe(0)
    expect(importOnnx(await readFile(target)).values).toEqual(values)
  })

  it('refuses a run without a model, a foreign file, a folder that is a file, its own source and names beside .onnx', async () => {
    await mkdir(join(home, 'unfinished'))
    await writeFile(join(home, 'foreign.onnx'), 'no model')
    const target = join(home, 'x.onnx')
    for (const [from, to, line] of [
      [join(home, 'unfinished'), target, 'holds no model.onnx'],
      [join(home, 'foreign.onnx'), target, 'expected a whole model in the ONNX format'],
      [join(home, 'run'), join(home, 'foreign.onnx', 'x.onnx'), 'cannot write'],
      [join(home, 'run'), join(home, 'run', 'model.onnx'), 'is the file that is read'],
    ] as const) {
      const { exitCode, stderr } = await tutti('export', from, '-o', to)
      expect(stderr).toContain(line)
      expect(exitCode).toBe(2)
    }
  })
})
