import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

/** Folder of the built package: what starts threads and processes is tested on the built package, because workers are real files. */
export const dist = process.env['TUTTI_DIST'] ?? fileURLToPath(new URL('../../dist', import.meta.url))

/** The built `tutti/fabric`. */
export const fabric = (await import(pathToFileURL(join(dist, 'fabric/index.js')).href)) as typeof import('../../src/fabric/index.ts')

/** A rank module of the tests as a file that a worker can load. */
export async function rankModule(name: string): Promise<URL> {
  const outdir = fileURLToPath(new URL('../../.build/tests', import.meta.url))
  mkdirSync(outdir, { recursive: true })
  const outfile = join(outdir, `${basename(name, '.ts')}.mjs`)
  await build({
    entryPoints: [fileURLToPath(new URL(name, import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['koffi', 'onnxruntime-node'],
    logLevel: 'silent',
  })
  return pathToFileURL(outfile)
}

/** Whether MPI can be used; says why not in one line. In CI it must be there. */
export function hasMpi(): boolean {
  try {
    execFileSync('mpirun', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    if (process.env['CI'] === 'true') throw new Error('mpirun is missing, and CI must not skip the MPI tests')
    process.stderr.write('skipped: MPI tests need mpirun (apt-get install openmpi-bin libopenmpi3)\n')
    return false
  }
}
