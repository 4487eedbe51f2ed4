import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tutti } from '../../../tests/cli/run-command.ts'
import { loadModel } from '../../api/trained-model.ts'

const golden = (file: string): string => fileURLToPath(new URL(`../../../tests/golden/onnx-${file}.onnx`, import.meta.url))

let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tutti-import-'))
})

afterEach(async () => {
  await rm(home, { recursive: true, force: true })
})

describe('tutti import', () => {
  it('writes a file of ours, frozen in part and with another head', async () => {
    const target = join(home, 'mine.onnx')
    const args = ['--freeze', 'stem.*', '--freeze', 'features.0.*', '--classes', '10']
    const { exitCode, stdout, stderr } = await tutti('import', golden('residual-20'), '-o', target, ...args)
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
    expect(stdout).toContain('onnx-residual-20\nlayer')
    expect(stdout).toMatch(/features\.0\.conv1 +conv +\[batch, 8, 7, 7\]/)
    expect(stdout).toMatch(/\ntrained +[\d,]{3,}\nfrozen +[\d,]{3,}\nwritten to .*mine\.onnx\n$/)
    const { model, values } = loadModel(target)
    const frozen = model.parameters.filter(({ update }) => update === 'nothing').map(({ name }) => name)
    expect(frozen.length).toBeGreaterThan(3)
    expect(frozen.every((name) => /^(stem|features\.0)\./.test(name))).toBe(true)
    expect(model.parameters.find(({ name }) => name === 'head.weight')?.shape).toEqual([10, 16])
    const source = loadModel(golden('residual-20'))
    for (const name of frozen) expect(values[name]).toEqual(source.values[name])
  })

  it('says what it wrote as JSON', async () => {
    const target = join(home, 'mlp.onnx')
    const { stdout } = await tutti('import', golden('mlp'), '-o', target, '--name', 'small', '--json')
    const parameters = 6 * 16 + 16 + 16 * 8 + 8 + 8 * 3 + 3
    expect(JSON.parse(stdout)).toEqual({ source: golden('mlp'), file: target, model: 'small', parameters, frozen: 0 })
    expect(loadModel(target).model.name).toBe('small')
  })

  it('refuses what cannot be, in one line', async () => {
    const broken = join(home, 'broken.onnx')
    await writeFile(broken, 'no model')
    await copyFile(golden('mlp'), join(home, 'mlp.onnx'))
    for (const [args, line] of [
      [[broken, '-o', join(home, 'x.onnx')], /import: .*broken\.onnx: 8 bytes are no ONNX file .*cut off/],
      [[golden('mlp'), '-o', join(home, 'x.bin')], /expected a file ending in \.onnx/],
      [[golden('mlp'), '-o', join(home, 'x.onnx'), '--freeze', 'conv*'], /freeze: no parameter is called conv\*/],
      [[golden('mlp'), '-o', join(home, 'x.onnx'), '--dim', 'sequence'], /expected a name and a number such as sequence=64/],
      [
        [golden('mlp'), '-o', join(home, 'x.onnx'), '--dim', 'sequence=4'],
        /mlp\.onnx: there is no free dim sequence — expected one of rows/,
      ],
      [[golden('mlp'), '-o', join(home, 'x.onnx'), '--output-name', 'y'], /the file has no output y — expected one of scores/],
      [[join(home, 'absent.onnx'), '-o', join(home, 'x.onnx')], /there is no .*absent\.onnx/],
    ] as const) {
      const { exitCode, stderr } = await tutti('import', ...args)
      expect(stderr).toMatch(line)
      expect(stderr.trim().split('\n')).toHaveLength(1)
      expect(exitCode).toBe(2)
    }
  })
})
