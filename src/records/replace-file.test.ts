import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { afterAll, describe, expect, it } from 'vitest'
import { replaceFile, temporaryName } from './replace-file.ts'

const dir = mkdtempSync(join(tmpdir(), 'tutti-replace-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('replaceFile', () => {
  it('puts the new file in place of the old and leaves nothing beside it', () => {
    const path = join(dir, 'deep', 'file.bin')
    for (const byte of [1, 2]) replaceFile(path, Uint8Array.of(byte))
    expect([...readFileSync(path)]).toEqual([2])
    expect(readdirSync(join(dir, 'deep'))).toEqual(['file.bin'])
    expect(() => replaceFile(join(path, 'below'), Uint8Array.of(3))).toThrow(/^out: cannot write/)
  })

  it('writes under a name that no thread of another process or host has', () => {
    const parts = temporaryName('/a/model.bin').replace('/a/model.bin.', '').split('.')
    expect(parts.slice(-3)).toEqual([String(process.pid), String(threadId), 'tmp'])
    expect(parts.slice(0, -3).join('.')).toBe(hostname())
  })
})
