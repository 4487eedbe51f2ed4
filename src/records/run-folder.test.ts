import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { syntheticRecord } from '../../tests/compare/synthetic-record.ts'
import { readRun, RunFolder } from './run-folder.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'tutti-record-'))

describe('RunFolder', () => {
  it('gives the record back that was written', () => {
    const record = syntheticRecord()
    const dir = join(folder(), 'a', 'b')
    new RunFolder(dir).finish(record)
    expect(readRun(dir)).toEqual(JSON.parse(JSON.stringify(record)))
  })

  it('keeps every row that was appended before a driver was killed', () => {
    const record = syntheticRecord()
    const writer = new RunFolder(folder())
    for (const row of record.metrics) writer.append(row)
    expect(readdirSync(writer.dir)).toContain('metrics.jsonl')
    expect(() => readRun(writer.dir)).toThrow(/no config\.json/)
  })

  it('refuses a folder that cannot be written in one line', () => {
    expect(() => new RunFolder('/proc/tutti/run')).toThrow(/out: cannot write to .*(ENOENT|EACCES|EPERM)/)
    const file = join(folder(), 'file')
    writeFileSync(file, '')
    expect(() => new RunFolder(join(file, 'run'))).toThrow(/cannot write to .*ENOTDIR/)
  })

  it('names damaged and foreign records', () => {
    const dir = folder()
    const record = syntheticRecord()
    new RunFolder(dir).finish(record)
    writeFileSync(join(dir, 'summary.json'), '{')
    expect(() => readRun(dir)).toThrow(/summary\.json is not JSON/)
    writeFileSync(join(dir, 'config.json'), JSON.stringify({ ...record.config, recordVersion: 99 }))
    expect(() => readRun(dir)).toThrow(/form 99 — expected 1/)
    rmSync(dir, { recursive: true })
  })
})
