import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { CheckpointError } from '../errors.ts'
import { publishCheckpoint, readManifest, readTensors, writeTensors } from './checkpoint.ts'
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tutti-checkpoint-'))
})

const common = { worldSize: 2, programHash: 'p', state: {} }
const tensor = (...values: number[]) => ({ shape: [values.length], values: Float32Array.from(values) })

describe('safetensors', () => {
  it('gives back what was written, bit for bit', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z/.]{1,12}$/), fc.float32Array({ maxLength: 50 }), { maxKeys: 6 }), (arrays) => {
        const tensors = Object.fromEntries(
          Object.entries(arrays).map(([name, values]) => [name, { shape: [values.length], values: values.slice() }]),
        )
        const { tensors: read } = decodeSafetensors(encodeSafetensors(tensors), 'memory')
        expect(Object.keys(read).sort()).toEqual(Object.keys(tensors).sort())
        for (const [name, { values }] of Object.entries(tensors)) {
          expect(new Uint8Array(read[name]!.values.buffer)).toEqual(new Uint8Array(values.slice().buffer))
        }
      }),
    )
  })

  it('names the file that was cut off', () => {
    const bytes = encodeSafetensors({ w: tensor(1, 2, 3) })
    expect(() => decodeSafetensors(bytes.subarray(0, bytes.length - 4), 'a/b.safetensors')).toThrow(
      /a\/b\.safetensors is damaged — w ends at byte/,
    )
    expect(() => decodeSafetensors(bytes.subarray(0, 4), 'x')).toThrow(/at least 8 bytes, got 4/)
  })
})

describe('checkpoint', () => {
  it('is the last one that was published, and older files are gone', () => {
    for (const step of [10, 20]) {
      writeTensors(dir, step, undefined, { w: tensor(step) })
      publishCheckpoint(dir, { ...common, step, perRank: false })
    }
    const manifest = readManifest(dir)
    expect(manifest.step).toBe(20)
    expect(readTensors(dir, manifest, 1).w?.values[0]).toBe(20)
    expect(existsSync(join(dir, 'step-10.safetensors'))).toBe(false)
  })

  it('stays the old one while a new one is only half written', () => {
    writeTensors(dir, 10, undefined, { w: tensor(10) })
    publishCheckpoint(dir, { ...common, step: 10, perRank: false })
    writeTensors(dir, 20, undefined, { w: tensor(20) })
    expect(readTensors(dir, readManifest(dir), 0).w?.values[0]).toBe(10)
  })

  it('keeps every rank its own file', () => {
    for (const rank of [0, 1]) writeTensors(dir, 5, rank, { w: tensor(rank) })
    publishCheckpoint(dir, { ...common, step: 5, perRank: true })
    const manifest = readManifest(dir)
    expect(readTensors(dir, manifest, 1).w?.values[0]).toBe(1)
    expect(() => readTensors(dir, manifest, 2)).toThrow(/of 2 ranks — got rank 2/)
  })

  it('refuses folders without one, damaged manifests and other forms in one line', () => {
    expect(() => readManifest(dir)).toThrow(/no checkpoint in/)
    writeFileSync(join(dir, 'latest.json'), '{')
    expect(() => readManifest(dir)).toThrow(CheckpointError)
    publishCheckpoint(dir, { ...common, step: 1, perRank: false })
    const manifest = JSON.parse(readFileSync(join(dir, 'latest.json'), 'utf8'))
    writeFileSync(join(dir, 'latest.json'), JSON.stringify({ ...manifest, version: 99 }))
    expect(() => readManifest(dir)).toThrow(/form 99, expected 1/)
  })
})
