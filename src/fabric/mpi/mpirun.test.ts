import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Mpirun } from './mpirun.ts'
import { mpirunFlags } from './mpirun-flags.ts'

const dir = mkdtempSync(join(tmpdir(), 'tutti-mpirun-'))
const path = process.env['PATH']

afterEach(() => {
  vi.restoreAllMocks()
  process.env['PATH'] = path
  rmSync(dir, { recursive: true, force: true })
})

describe('mpirun', () => {
  it('passes all output of ranks on to standard error, unfinished lines too', async () => {
    writeFileSync(join(dir, 'mpirun'), '#!/bin/sh\nprintf "from a rank"\nprintf "first line\\nlast words" >&2\n')
    chmodSync(join(dir, 'mpirun'), 0o755)
    process.env['PATH'] = `${dir}${delimiter}${path}`
    const errors: string[] = []
    const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => errors.push(String(chunk)) > 0)
    const mpirun = new Mpirun({ numProcesses: 1, threadsPerProcess: 1, moduleUrl: 'file:///none', extraArgs: [] })
    expect(await mpirun.exited).toBe('code 0')
    expect(errors.sort()).toEqual(['first line\n', 'from a rank', 'last words\n'])
    expect(mpirun.complaint).toBe('first line last words')
    expect(out).not.toHaveBeenCalled()
  })

  it('gives survivors longer than they may take to save', () => {
    const flags = mpirunFlags({ numProcesses: 2, threadsPerProcess: 1 })
    const seconds = Number(flags[flags.indexOf('odls_base_sigkill_timeout') + 1])
    expect(flags).toContain('odls_base_sigkill_timeout')
    expect(seconds).toBeGreaterThanOrEqual(2)
  })
})
