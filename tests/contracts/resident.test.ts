import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { dist, fabric, hasMpi, rankModule } from './built.ts'

const module = await rankModule('fault-rank.ts')
const script = fileURLToPath(new URL('./resident-script.mjs', import.meta.url))

describe.skipIf(!hasMpi())('a script under mpirun', () => {
  it('launches on the processes that are there, any number of them', { timeout: 60_000 }, async () => {
    const flags = fabric.mpirunFlags({ numProcesses: 3, threadsPerProcess: 1 })
    const { stdout } = await promisify(execFile)('mpirun', [...flags, process.execPath, script, dist, module.href]).catch(
      (error: unknown) => error as { stdout: string },
    )
    const said = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(said.slice(0, 3)).toEqual([{ results: [5, 5, 5] }, { results: [5, 5] }, { results: [5, 5, 5] }])
    // A module from somewhere else is not loaded; the run fails, and with it the world.
    expect(said[3]?.['refused']).toContain('rank module not allowed here')
    expect(said[4]).toEqual({ end: true })
  })
})
