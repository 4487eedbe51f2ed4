import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { syntheticRecord } from '../../tests/compare/synthetic-record.ts'
import { readMetrics, readRun, RunFolder } from './run-folder.ts'

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

  it('starts anew where another run wrote before, and outlives a folder that vanishes', () => {
    const record = syntheticRecord()
    const dir = folder()
    new RunFolder(dir).finish(record)
    const writer = new RunFolder(dir)
    const [earlier, later] = [record.metrics.slice(0, 2), record.metrics.slice(2)]
    writer.begin(record.config, earlier)
    expect(readMetrics(dir)).toEqual(JSON.parse(JSON.stringify(earlier)))
    expect(() => readRun(dir)).toThrow(/no summary\.json/)
    rmSync(dir, { recursive: true })
    for (const row of later) writer.append(row)
    writer.finish(record)
    expect(readRun(dir)).toEqual(JSON.parse(JSON.stringify(record)))
  })

  it('reads the rows of a killed driver up to the line that it began', () => {
    const dir = folder()
    const rows = syntheticRecord().metrics.slice(0, 3)
    writeFileSync(join(dir, 'metrics.jsonl'), `${rows.map((row) => JSON.stringify(row)).join('\n')}\n{"kind":"st`)
    expect(readMetrics(dir)).toEqual(JSON.parse(JSON.stringify(rows)))
    writeFileSync(join(dir, 'metrics.jsonl'), '{"kind":"st\n{}\n')
    expect(() => readMetrics(dir)).toThrow(/metrics\.jsonl, line 1 is not JSON/)
    expect(readMetrics(folder())).toEqual([])
  })

  it('refuses a folder that cannot be written in one line', () => {
    expect(() => new RunFolder('/proc/tutti/run')).toThrow(/out: cannot write to .*(ENOENT|EACCES|EPERM)/)
    const file = join(folder(), 'file')
    writeFileSync(file, '')
    expect(() => new RunFolder(file)).toThrow(/expected a folder, got the file/)
    expect(() => new RunFolder(join(file, 'run'))).toThrow(/cannot write to .*got the file/)
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
