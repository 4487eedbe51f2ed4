import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultComparison } from '../../../tests/compare/synthetic-comparison.ts'
import { syntheticRecord } from '../../../tests/compare/synthetic-record.ts'
import { type ResultsDocument, resultsVersion } from './results.ts'
import { buildReport, writeReport } from './write-report.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tutti-report-'))
  await writeFile(join(folder, 'client.js'), 'document.title += "!"')
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})
const script = () => pathToFileURL(join(folder, 'client.js'))

describe('writeReport', () => {
  it('writes one page and the same figures as data', async () => {
    const records = defaultComparison()
    const written = await writeReport(records, { out: join(folder, 'a', 'b'), clientScript: script() })
    const page = await readFile(written.reportPath, 'utf8')
    const results = JSON.parse(await readFile(written.resultsPath, 'utf8')) as ResultsDocument
    expect(page).toContain('document.title += "!"')
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//)
    expect(results).toMatchObject({ form: 'tutti-results', version: resultsVersion, tutti: '0.1.0' })
    expect(results.rows.map((row) => row.id)).toEqual(records.map((record) => record.config.id))
    expect(results.cases.map((entry) => [entry.workload, entry.rows, entry.verdicts.length])).toEqual([
      ['lenet-5/mnist', 60_000, 6],
      ['kmeans/mnist', 60_000, 6],
      ['ols/linear', 10_000, 6],
      ['ols/linear', 1_000_000, 6],
    ])
    expect(results.cases[0]?.representatives).toEqual({ solo: 'solo', parallel: 'bsp · threads × 2', distributed: 'bsp · mpi × 2' })
    expect(results.cases[0]?.missing.hybrid).toContain('the machine has 2')
    expect(results.cases[0]?.cells[1]).toMatchObject({ label: 'bsp · threads × 2', finished: 1, trainSeconds: { runs: 1 } })
    expect(results.overall).toHaveLength(6)
  })

  it('gives the same text for the same records', () => {
    const [a, b] = [buildReport(defaultComparison(), 'x'), buildReport(defaultComparison(), 'x')]
    expect(a.html).toBe(b.html)
    expect(a.results).toEqual(b.results)
  })

  it('escapes everything that a record says', () => {
    const evil = '</script><script>alert("x")</script><img src=x onerror=alert(1)>$&'
    const record = syntheticRecord({
      id: evil,
      system: evil,
      workload: evil,
      metric: { name: evil, better: 'higher' },
      options: { network: evil },
      systemOptions: { [evil]: evil },
      versions: { [evil]: evil },
    })
    const other = syntheticRecord({
      paradigm: 'parallel',
      system: evil,
      workload: evil,
      status: 'failed',
      error: { code: 'PEER_LOST', message: evil, details: {} },
      checkpoint: evil,
    })
    const { html } = buildReport([record, other], 'void 0', { title: evil, command: evil, skipped: [{ paradigm: 'hybrid', reason: evil }] })
    expect(html.match(/<script/g)).toHaveLength(2)
    expect(html.match(/<\/script/g)).toHaveLength(2)
    expect(html).not.toContain('<img')
    const data = /<script type="application\/json" id="view">(.*?)<\/script>/s.exec(html)?.[1] ?? ''
    expect(JSON.parse(data)).toMatchObject({ cases: [{ title: evil }] })
  })

  it('admits exactly its own script', async () => {
    const { createHash } = await import('node:crypto')
    const { html } = buildReport([syntheticRecord()], 'const text = "</script>"')
    const inline = /<script>(.*?)<\/script>/s.exec(html)?.[1] ?? ''
    expect(inline).toBe('const text = "<\\/script>"')
    expect(html).toContain(`script-src 'sha256-${createHash('sha256').update(inline).digest('base64')}'`)
  })

  it('names paths as seen from the report', () => {
    const { html, results } = buildReport(defaultComparison(), 'x', { folder: 'runs' })
    expect(html).toContain('its checkpoint lost-parallel/checkpoint resumes it')
    expect(results.rows.find((row) => row.id === 'lost-parallel')?.checkpoint).toBe('lost-parallel/checkpoint')
  })

  it('shows what a run is made of: simulated time, a worker lost on purpose, no column that nothing fills', () => {
    const text = buildReport([...defaultComparison(), syntheticRecord({ paradigm: 'virtual' })], 'x').html.replaceAll('\u00a0', ' ')
    expect(text).toContain('<small>simulated</small>')
    expect(text).toContain('rank 1 was lost on purpose at step 562')
    expect(text).toContain('One run each.')
    expect(text).toContain('>parallel</span></th>')
    expect(text).not.toContain('>hybrid</span></th>')
  })

  it('says what was left out where nothing was run', () => {
    const skipped = [{ paradigm: 'hybrid', workload: 'a/b', reason: 'needs 4 cores' }] as const
    expect(() => buildReport([], 'x', { skipped })).toThrow('compare: every case was left out — a/b hybrid: needs 4 cores')
  })

  it('refuses in one line what it cannot do', async () => {
    await expect(writeReport([], { out: folder, clientScript: script() })).rejects.toThrow(/report: no records/)
    await expect(writeReport([syntheticRecord()], { out: join(folder, 'client.js'), clientScript: script() })).rejects.toThrow(
      /expected a writable folder, got a file/,
    )
    await expect(writeReport([syntheticRecord()], { out: folder, clientScript: pathToFileURL(join(folder, 'none.js')) })).rejects.toThrow(
      /npm run build/,
    )
  })
})
