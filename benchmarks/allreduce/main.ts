import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { type BenchContext, type BenchRow, relativeSpread } from 'tutti/bench'
import { type FabricName, fabricRequirements, launch, mpirunFlags } from 'tutti/fabric'
import type { AllReduceJob, AllReduceTimes } from './rank.ts'

const execute = promisify(execFile)
const ranks = 2
const sizes = [
  { name: '4 KiB', length: 1024, iterations: 5000 },
  { name: '1 MiB', length: 2 ** 18, iterations: 100 },
  { name: '64 MiB', length: 2 ** 24, iterations: 3 },
] as const

export const threads = 'one per rank'

/** All-reduce over two threads beside copies of the same bytes, over two MPI processes beside the same call from C. */
export async function run(context: BenchContext): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-allreduce-'))
  try {
    const module = await bundle(join(context.dir, 'rank.ts'), join(folder, 'rank.mjs'))
    return [...(await onThreads(context, module)), ...(await onMpi(context, module, folder))]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function onThreads(context: BenchContext, module: URL): Promise<BenchRow[]> {
  context.log('allreduce: two threads')
  const times = await measure('threads', module, context, { batches: context.rounds ?? 15, copies: true })
  return sizes.flatMap(({ name }, index) => {
    const { allReduce, copy, copyBetweenBarriers } = times[index] as AllReduceTimes
    const rows = [row(`${name}, 2 threads`, allReduce, copy, 'each rank copies its bytes')]
    // Two threads that exchange anything have to meet; at 4 KiB that is most of the time.
    if (index === 0) rows.push(row(`${name}, 2 threads`, allReduce, copyBetweenBarriers, 'the same copy between two bare barriers'))
    return rows
  })
}

async function onMpi(context: BenchContext, module: URL, folder: string): Promise<BenchRow[]> {
  const { mpiProblem } = await fabricRequirements()
  if (mpiProblem !== undefined) {
    context.log(`allreduce: ${mpiProblem}`)
    return []
  }
  const program = await compile(context, folder)
  const rounds = context.quick ? 3 : 7
  const ours = sizes.map((): number[] => [])
  const theirs = sizes.map((): number[] => [])
  const plain: number[] = []
  for (let round = 0; round < rounds; round++) {
    context.log(`allreduce: two MPI processes, round ${round + 1} of ${rounds}`)
    const own = async () => {
      const times = await measure('mpi', module, context, { batches: 9, copies: false })
      for (const [index, { allReduce }] of times.entries()) ours[index]?.push(median(allReduce))
    }
    const peer = async () => {
      if (typeof program !== 'string') return
      for (const [index, value] of (await runPeer(program, 'multiple', context)).entries()) theirs[index]?.push(value)
      plain.push((await runPeer(program, 'single', context))[0] as number)
    }
    for (const each of round % 2 === 0 ? [own, peer] : [peer, own]) await each()
  }
  const missing = typeof program === 'string' ? undefined : program.missing
  const rows = sizes.map(({ name }, index) =>
    row(`${name}, 2 MPI processes`, ours[index] as number[], theirs[index] as number[], 'MPI_Allreduce from C', missing),
  )
  // What it costs that several threads of a process may call MPI, which a service thread needs.
  if (plain.length > 0)
    rows.push(row(`${sizes[0].name}, 2 MPI processes`, ours[0] as number[], plain, 'the same from C without thread support'))
  return rows
}

async function measure(
  fabric: FabricName,
  module: URL,
  context: BenchContext,
  options: Pick<AllReduceJob, 'batches' | 'copies'>,
): Promise<AllReduceTimes[]> {
  const cases = sizes.map(({ length, iterations }) => ({ length, iterations: scaled(iterations, context) }))
  const result = await launch<AllReduceJob, AllReduceTimes[]>({
    fabric,
    workers: ranks,
    module,
    job: { cases, ...options },
    signal: context.signal,
  })
  if (result.error !== undefined) throw new Error(result.error.message)
  return result.results[0] as AllReduceTimes[]
}

async function compile(context: BenchContext, folder: string): Promise<string | { readonly missing: string }> {
  const program = join(folder, 'allreduce')
  try {
    await execute('cc', ['-O3', '-o', program, join(context.dir, 'peers/allreduce.c'), '-l:libmpi.so.40'])
    return program
  } catch {
    return { missing: 'no C compiler: apt-get install gcc libc6-dev' }
  }
}

async function runPeer(program: string, mode: 'multiple' | 'single', context: BenchContext): Promise<number[]> {
  const args = sizes.flatMap(({ length, iterations }) => [String(length), String(scaled(iterations, context))])
  const flags = mpirunFlags({ numProcesses: ranks, threadsPerProcess: 1 })
  const { stdout } = await execute('mpirun', [...flags, program, mode, ...args], { signal: context.signal })
  return stdout
    .trim()
    .split('\n')
    .map((line) => Number(line.split(' ')[1]))
}

function row(name: string, ours: readonly number[], peer: readonly number[], peerName: string, note?: string): BenchRow {
  const ratios = ours.map((value, index) => (peer[index] as number) / value)
  const known = peer.length > 0
  return {
    case: name,
    unit: 'µs',
    ours: median(ours),
    peer: known ? median(peer) : null,
    peerName,
    ratio: known ? median(ratios) : null,
    spread: relativeSpread(known ? ratios : ours),
    ...(note === undefined ? {} : { note }),
  }
}

function scaled(iterations: number, context: BenchContext): number {
  return context.quick ? Math.max(1, Math.floor(iterations / 10)) : iterations
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number
}

/** Worker threads and processes load JavaScript files. */
async function bundle(from: string, to: string): Promise<URL> {
  await build({ entryPoints: [from], outfile: to, bundle: true, format: 'esm', platform: 'node', packages: 'external', logLevel: 'silent' })
  return pathToFileURL(to)
}
