import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AbortError, DataError } from '../../errors.ts'
import type { DataProgress } from '../read-context.ts'
import { download } from './download.ts'

const content = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) & 255))
const sha256 = createHash('sha256').update(content).digest('hex')

let folder = ''
let path = ''
let server: Server
let base = ''
let requests: { url: string; range: string | undefined }[] = []
let answer: (request: IncomingMessage, response: ServerResponse) => void

/** A server that keeps to HTTP Range. */
function ranged(body: Buffer, options: { cutAfter?: () => number | undefined } = {}): typeof answer {
  return (request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    if (from >= body.length) {
      response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end()
      return
    }
    const rest = body.subarray(from)
    const headers = {
      'content-length': rest.length,
      ...(from > 0 && { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` }),
    }
    response.writeHead(from > 0 ? 206 : 200, headers)
    const cut = options.cutAfter?.()
    if (cut === undefined) response.end(rest)
    else response.write(rest.subarray(0, cut), () => response.destroy())
  }
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tutti-download-'))
  path = join(folder, 'sub', 'file.bin')
  requests = []
  server = createServer((request, response) => {
    requests.push({ url: request.url!, range: request.headers.range })
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

const options = { sha256, retryDelayMs: 1 }
const expectContent = async (file: string): Promise<void> => expect((await readFile(file)).equals(content)).toBe(true)
const partExists = async (): Promise<boolean> =>
  stat(`${path}.part`).then(
    () => true,
    () => false,
  )

describe('download', () => {
  it('fetches a file, with progress, and leaves no part behind', async () => {
    answer = ranged(content)
    const seen: DataProgress[] = []
    await download([`${base}/file.bin`], path, { ...options, onProgress: (progress) => seen.push(progress) })
    await expectContent(path)
    expect(await partExists()).toBe(false)
    const fetched = seen.filter(({ phase }) => phase === 'download')
    expect(fetched.at(-1)).toEqual({ phase: 'download', name: 'file.bin', done: content.length, total: content.length, unit: 'bytes' })
    expect(fetched.every(({ done }, i) => i === 0 || done > fetched[i - 1]!.done)).toBe(true)
  })

  it('goes on after a broken connection where it stopped', async () => {
    let cuts = 0
    answer = ranged(content, { cutAfter: () => (cuts++ < 2 ? 100_000 : undefined) })
    await download([`${base}/file.bin`], path, options)
    await expectContent(path)
    expect(requests.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-', 'bytes=200000-'])
  })

  it('goes on with the part of an earlier call', async () => {
    answer = ranged(content, { cutAfter: () => 120_000 })
    await expect(download([`${base}/file.bin`], path, { ...options, retries: 0 })).rejects.toThrow(/could not be fetched/)
    expect((await stat(`${path}.part`)).size).toBe(120_000)
    answer = ranged(content)
    await download([`${base}/file.bin`], path, options)
    expect(requests.at(-1)!.range).toBe('bytes=120000-')
    await expectContent(path)
  })

  it('keeps the part when it is stopped, and goes on from it', async () => {
    const stop = new AbortController()
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': content.length })
      response.write(content.subarray(0, 150_000))
    }
    const stopped = download([`${base}/file.bin`], path, {
      ...options,
      signal: stop.signal,
      onProgress: ({ done }) => done >= 150_000 && stop.abort(),
    })
    await expect(stopped).rejects.toBeInstanceOf(AbortError)
    expect((await stat(`${path}.part`)).size).toBe(150_000)
    answer = ranged(content)
    await download([`${base}/file.bin`], path, options)
    expect(requests.at(-1)!.range).toBe('bytes=150000-')
    await expectContent(path)
  })

  it('starts again where the server has no Range', async () => {
    let cuts = 0
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': content.length })
      if (cuts++ === 0) response.write(content.subarray(0, 90_000), () => response.destroy())
      else response.end(content)
    }
    await download([`${base}/file.bin`], path, options)
    expect(requests[1]!.range).toBe('bytes=90000-')
    await expectContent(path)
  })

  it('takes a part that is already whole', async () => {
    answer = ranged(content)
    await download([`${base}/other`], join(folder, 'other'), options)
    await writeFile(join(folder, 'whole.part'), content)
    await download([`${base}/whole`], join(folder, 'whole'), options)
    await expectContent(join(folder, 'whole'))
  })

  it('throws a part of another file away', async () => {
    answer = ranged(content)
    await writeFile(join(folder, 'stale.part'), Buffer.alloc(1000, 1))
    await download([`${base}/stale`], join(folder, 'stale'), options)
    await expectContent(join(folder, 'stale'))
    await writeFile(join(folder, 'long.part'), Buffer.alloc(400_000, 1))
    await download([`${base}/long`], join(folder, 'long'), options)
    await expectContent(join(folder, 'long'))
  })

  it('refuses another content and goes to the next address', async () => {
    answer = (request, response) => (request.url === '/bad' ? response.end('something else') : ranged(content)(request, response))
    await expect(download([`${base}/bad`], path, options)).rejects.toThrow(
      new RegExp(`expected the file with SHA-256 ${sha256}, got .*/bad: another content, SHA-256 [0-9a-f]{64}`),
    )
    expect(await partExists()).toBe(false)
    await download([`${base}/bad`, `${base}/good`], path, options)
    await expectContent(path)
  })

  it('checks the content of a gzip, however it was packed', async () => {
    answer = ranged(gzipSync(content, { level: 1 }))
    await download([`${base}/file.gz`], join(folder, 'file.gz'), options)
    expect((await readFile(join(folder, 'file.gz')))[0]).toBe(0x1f)
  })

  it('asks once for a file that is not there', async () => {
    answer = (_, response) => response.writeHead(404).end()
    const error: unknown = await download([`${base}/a`, `${base}/b`], path, options).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DataError)
    expect((error as DataError).message).toMatch(/file\.bin could not be fetched .*\/a: HTTP 404 Not Found; .*\/b: HTTP 404/)
    expect(requests).toHaveLength(2)
  })

  it('tries again while the server is busy, then says so', async () => {
    answer = (_, response) => response.writeHead(503).end()
    await expect(download([`${base}/a`], path, { ...options, retries: 2 })).rejects.toThrow(/HTTP 503/)
    expect(requests).toHaveLength(3)
  })

  it('gives a silent server up', async () => {
    answer = () => undefined
    await expect(download([`${base}/a`], path, { ...options, retries: 0, timeoutMs: 50 })).rejects.toThrow(/no answer for 50 ms/)
  })

  it('says that nobody listens', async () => {
    const closed = base
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    await expect(download([`${closed}/a`], path, { ...options, retries: 1 })).rejects.toThrow(/ECONNREFUSED/)
  })

  it('fetches once for two callers', async () => {
    answer = ranged(content)
    await Promise.all([download([`${base}/file.bin`], path, options), download([`${base}/file.bin`], path, options)])
    expect(requests).toHaveLength(1)
    await expectContent(path)
  })

  it('takes over the lock of a process that has ended', async () => {
    answer = ranged(content)
    const { hostname } = await import('node:os')
    const { spawnSync } = await import('node:child_process')
    const ended = spawnSync(process.execPath, ['-e', '']).pid
    const own = join(folder, 'locked')
    await writeFile(`${own}.lock`, `${hostname()} ${ended}`)
    await download([`${base}/locked`], own, options)
    await expectContent(own)
  })
})
