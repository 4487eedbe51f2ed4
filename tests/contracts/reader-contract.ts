import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AbortError, DataError } from '../../src/errors.ts'
import type { Reader, ReadOptions } from '../../src/data/readers/reader.ts'

/** Files by name; the first is the one that is read, the others (labels) lie beside it. */
export type Files = Readonly<Record<string, string | Uint8Array>>

/** What a reader has to show. */
export interface ReaderCase<O extends ReadOptions> {
  readonly reader: Reader<O>
  readonly options?: O
  /** At least three rows of at least two features, labelled with classes. */
  readonly good: {
    readonly files: Files
    readonly features: readonly (readonly number[])[]
    readonly target: readonly number[]
    readonly classes: readonly string[]
  }
  /** Cut short, and what the message must say. */
  readonly truncated: { readonly files: Files; readonly message: RegExp }
  /** Not of this format, or with a row of another length. */
  readonly malformed: { readonly files: Files; readonly message: RegExp }
  /** A label that is NaN. */
  readonly badLabel: { readonly files: Files; readonly options?: O; readonly message: RegExp }
  /** A label that `classes` does not have. */
  readonly unknownLabel: { readonly files: Files; readonly options: O; readonly message: RegExp }
}

/** The contract of every reader in the table: what it gives for good files, and how it refuses bad ones. */
export function testReader<O extends ReadOptions>(spec: ReaderCase<O>): void {
  const { reader, good } = spec
  describe(`reader ${reader.id}`, () => {
    let folder = ''
    let count = 0
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'tutti-reader-'))
    })
    afterAll(async () => {
      await rm(folder, { recursive: true, force: true })
    })
    const put = async (
      files: Files,
      pack: (content: string | Uint8Array) => string | Uint8Array = (content) => content,
    ): Promise<string> => {
      const own = await mkdtemp(join(folder, `${count++}-`))
      for (const [name, content] of Object.entries(files)) await writeFile(join(own, name), pack(content))
      return join(own, Object.keys(files)[0]!)
    }
    const refusal = async (path: string, options: O | undefined, message: RegExp): Promise<DataError> => {
      const error: unknown = await reader.read(path, options).then(
        (dataset) => `read ${dataset.rows} rows`,
        (thrown: unknown) => thrown,
      )
      expect(error).toBeInstanceOf(DataError)
      const refused = error as DataError
      expect(refused.message).toMatch(message)
      expect(refused.message).toMatch(/ — expected .+, got .+ \(.+\)$/)
      expect(refused.message).not.toContain('\n')
      return refused
    }
    const expectGood = async (path: string): Promise<void> => {
      const dataset = await reader.read(path, spec.options)
      expect(dataset.rows).toBe(good.features.length)
      expect(dataset.features.shape[0]).toBe(good.features.length)
      expect([...dataset.features.values]).toEqual(
        good.features.flat().map((value) => (dataset.features.dtype === 'float32' ? Math.fround(value) : value)),
      )
      expect([...dataset.target!.values]).toEqual(good.target)
      expect(dataset.target!.dtype).toBe('int32')
      expect(dataset.classes).toEqual(good.classes)
      expect(dataset.hash).toMatch(/^[0-9a-f]{64}$/)
    }

    it('reads a good file', async () => expectGood(await put(good.files)))

    it('reads its gzip, whatever its name', async () => expectGood(await put(good.files, (content) => gzipSync(content))))

    it('knows its own files', async () => {
      const [content] = Object.values(good.files)
      expect(reader.detect(Buffer.from(content!))).toBe(true)
      expect(reader.detect(new Uint8Array(0))).toBe(false)
    })

    it('takes the first rows, and leaves rows out', async () => {
      const dataset = await reader.read(await put(good.files), {
        ...spec.options,
        skipRows: 1,
        rows: 1,
        classes: good.classes,
      } as unknown as O)
      const width = good.features[0]!.length
      expect(dataset.features.values.length).toBe(width)
      expect([...dataset.target!.values]).toEqual([good.target[1]])
    })

    it('refuses an empty file', async () => {
      const [name] = Object.keys(good.files)
      const refused = await refusal(await put({ ...good.files, [name!]: '' }), spec.options, new RegExp(name!.replaceAll('.', '\\.')))
      expect(refused.isUsage).toBe(true)
    })

    it('refuses a missing file', async () => {
      await refusal(join(folder, 'not-there'), spec.options, /not-there: cannot be opened .*no such file/)
    })

    it('refuses a folder', async () => {
      await refusal(folder, spec.options, /expected a file, got a folder/)
    })

    it('refuses a truncated file', async () => {
      await refusal(await put(spec.truncated.files), spec.options, spec.truncated.message)
    })

    it('refuses a truncated gzip', async () => {
      const path = await put(good.files, (content) => gzipSync(content).subarray(0, -9))
      await refusal(path, spec.options, /gzip: .* byte \d+: the gzip file ends too early/)
    })

    it('refuses a damaged gzip', async () => {
      const path = await put(good.files, (content) => {
        const packed = gzipSync(content)
        packed.fill(0xff, 10)
        return packed
      })
      await refusal(path, spec.options, /the gzip file is damaged/)
    })

    it('refuses a malformed file, naming line or byte', async () => {
      const refused = await refusal(await put(spec.malformed.files), spec.options, spec.malformed.message)
      expect(refused.details['line'] ?? refused.details['byte']).toBeTypeOf('number')
    })

    it('refuses a label that is not a number', async () => {
      await refusal(await put(spec.badLabel.files), spec.badLabel.options ?? spec.options, spec.badLabel.message)
    })

    it('refuses a label outside the given classes', async () => {
      await refusal(await put(spec.unknownLabel.files), spec.unknownLabel.options, spec.unknownLabel.message)
    })

    it('stops when asked to', async () => {
      await expect(reader.read(await put(good.files), spec.options, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(AbortError)
    })

    it('closes the file it read', async () => {
      const path = await put(good.files)
      const { readdir } = await import('node:fs/promises')
      const open = async (): Promise<number> => (await readdir('/proc/self/fd').catch(() => [])).length
      await reader.read(path, spec.options)
      const before = await open()
      for (let i = 0; i < 5; i++) {
        await reader.read(path, { ...spec.options, rows: 1 } as unknown as O)
        await reader.read(await put(spec.malformed.files), spec.options).catch(() => undefined)
      }
      expect(await open()).toBeLessThanOrEqual(before + 1)
    })
  })
}
