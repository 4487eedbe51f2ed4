/** The page in a real browser: nothing on the console, nothing from the network, every chart drawn, no sideways scrolling. */
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, type Page, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultComparison, manyRuns } from './synthetic-comparison.ts'
import { syntheticRecord } from './synthetic-record.ts'
import type { RunRecord } from '../../src/records/record.ts'
import { writeReport } from '../../src/compare/report/write-report.ts'

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]
const executablePath = [process.env['CHROMIUM'] ?? '', ...places].find(isExecutable)
const required = process.env['CI'] === 'true'
if (!executablePath && !required) console.log('report-page: skipped, no Chromium found (install it, or name it in CHROMIUM)')

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return path !== ''
  } catch {
    return false
  }
}

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

describe.skipIf(!executablePath && !required)('report.html in a browser', () => {
  let browser: Browser
  let folder = ''

  beforeAll(async () => {
    if (!executablePath) throw new Error('report-page: CI needs Chromium (install it, or name it in CHROMIUM)')
    folder = await mkdtemp(join(tmpdir(), 'tutti-page-'))
    const script = (await import(pathToFileURL(join(process.cwd(), 'scripts/build-report.mjs')).href)) as {
      buildReport(outfile: string): Promise<number>
    }
    expect(await script.buildReport(join(folder, 'client.js'))).toBeLessThan(400_000)
    browser = await chromium.launch({ executablePath, args: quiet })
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  /** Opens a report; the problems fill while the page lives. */
  async function open(
    records: readonly RunRecord[],
    width: number,
    colorScheme: 'light' | 'dark' = 'light',
  ): Promise<{ page: Page; problems: string[] }> {
    const out = join(folder, `${width}-${colorScheme}-${records.length}`)
    const { reportPath } = await writeReport(records, { out, clientScript: pathToFileURL(join(folder, 'client.js')) })
    const address = pathToFileURL(reportPath).href
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
    const problems: string[] = []
    page.on('console', (message) => problems.push(`${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => problems.push(String(error)))
    page.on('request', (request) => {
      if (request.url() !== address) problems.push(`request: ${request.url()}`)
    })
    await page.goto(address)
    await page.waitForFunction(() => document.querySelectorAll('[data-chart]').length === document.querySelectorAll('[data-drawn]').length)
    return { page, problems }
  }

  const kinds = ['metric-time', 'metric-epoch', 'throughput', 'efficiency', 'bytes', 'rounds', 'step', 'timeline', 'cpu', 'memory']

  it.each([
    [1200, 'light'],
    [400, 'light'],
    [1200, 'dark'],
    [400, 'dark'],
  ] as const)('draws every chart of every case at %i pixels, %s', async (width, scheme) => {
    const { page, problems } = await open(defaultComparison({ repeats: 2, cores: 4 }), width, scheme)
    for (let i = 0; i < 4; i++) {
      await page.locator(`#tab-${i}`).click()
      for (const kind of kinds) {
        const svg = await page.locator(`#case-${i} [data-chart="${kind}"] .plot svg`).last().boundingBox()
        expect(svg?.width, `${kind} of case ${i}`).toBeGreaterThan(width < 500 ? 300 : 450)
      }
      const size = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth])
      expect(size[0], `case ${i} scrolls sideways`).toBe(size[1])
    }
    expect(await page.locator('[data-chart="speedup"] svg').count()).toBe(1)
    const frames = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('.frame')]
        .filter((frame) => frame.offsetParent !== null)
        .map((frame) => {
          const box = frame.querySelector('.scroll') as Element
          return {
            more: frame.dataset['more'],
            right: box.scrollWidth > box.clientWidth + 2,
            below: box.scrollHeight > box.clientHeight + 2,
          }
        }),
    )
    // A table that is cut says so; none is cut at its foot.
    for (const { more, right, below } of frames) expect([more, below]).toEqual([right ? 'right' : '', false])
    expect(frames.some(({ right }) => right)).toBe(width === 400)
    const first = await page.locator('.matrix tbody th').first().boundingBox()
    expect(first?.width).toBeGreaterThan(95)
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    expect(background).toBe(scheme === 'dark' ? 'rgb(17, 20, 24)' : 'rgb(255, 255, 255)')
    expect(problems).toEqual([])
    await page.close()
  })

  it('switches runs off and on by the legend, and the theme by its button', async () => {
    const { page, problems } = await open(defaultComparison(), 1200)
    const lines = page.locator('#case-0 [data-chart="metric-time"] .m-runs path')
    const before = await lines.count()
    expect(before).toBe(3)
    const solo = page.locator('#case-0 .legend .cell').first()
    await solo.click()
    expect(await lines.count()).toBe(before - 1)
    expect(await solo.getAttribute('aria-pressed')).toBe('false')
    await page.getByText('hide all').first().click()
    expect(await lines.count()).toBe(0)
    expect(await page.locator('#case-0 [data-chart="metric-time"]').innerText()).toContain('All runs are switched off.')
    await page.getByText('show all').first().click()
    expect(await lines.count()).toBe(before)
    await page.locator('[data-theme-toggle]').click()
    await page.locator('[data-theme-toggle]').click()
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(17, 20, 24)')
    expect(problems).toEqual([])
    await page.close()
  })

  it('shows a tooltip under the pointer', async () => {
    const { page, problems } = await open(defaultComparison(), 1200)
    const chart = page.locator('#case-0 [data-chart="timeline"] svg')
    await chart.scrollIntoViewIfNeeded()
    const bar = await page.locator('#case-0 [data-chart="timeline"] .m-events rect').first().boundingBox()
    await page.mouse.move((bar?.x ?? 0) + (bar?.width ?? 0) / 2, (bar?.y ?? 0) + (bar?.height ?? 0) / 2)
    await page.waitForFunction(() =>
      document.querySelector('#case-0 [data-chart="timeline"] [aria-label="tip"]')?.textContent?.includes('forwardBackward'),
    )
    expect(problems).toEqual([])
    await page.close()
  })

  it('stays in its bounds with very many runs', async () => {
    for (const width of [1200, 400]) {
      const { page, problems } = await open(manyRuns(), width)
      const size = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        document.documentElement.clientWidth,
        document.documentElement.scrollHeight,
      ])
      expect(size[0]).toBe(size[1])
      expect(size[2]).toBeLessThan(13_000)
      expect(await page.locator('[data-chart="metric-time"] .m-runs path').count()).toBe(52)
      expect(problems).toEqual([])
      await page.close()
    }
  })

  it('shows everything when printed, in light colours', async () => {
    const { page } = await open(defaultComparison(), 1200, 'dark')
    await page.emulateMedia({ media: 'print' })
    const state = await page.evaluate(() => [
      [...document.querySelectorAll<HTMLElement>('.panel')].filter((panel) => getComputedStyle(panel).display === 'none').length,
      getComputedStyle(document.querySelector('.tabs') as Element).display,
      getComputedStyle(document.body).backgroundColor,
    ])
    expect(state).toEqual([0, 'none', 'rgb(255, 255, 255)'])
    await page.close()
  })

  it('does not run what a record smuggles in, and copes with records that say little', async () => {
    const evil = '</script><script>console.log("owned")</script><img src=x onerror=console.log(1)>'
    const bare = syntheticRecord({ system: evil, workload: evil })
    const failed = syntheticRecord({
      paradigm: 'distributed',
      workload: evil,
      status: 'failed',
      error: { code: 'RANK_FAILED', message: evil, details: {} },
    })
    const { page, problems } = await open(
      [
        { ...bare, metrics: [], trace: [], ranks: [] },
        { ...failed, metrics: [], trace: [], ranks: [] },
      ],
      400,
    )
    expect(problems).toEqual([])
    expect(await page.locator('img').count()).toBe(0)
    expect(await page.locator('h3.case').innerText()).toBe(evil)
    const size = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth])
    expect(size[0]).toBe(size[1])
    await page.close()
  })
})
