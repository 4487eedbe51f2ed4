import { existsSync, readdirSync } from 'node:fs'
import { loadavg } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { importUserModule } from '../../api/user-module.ts'
import type { BenchContext, Benchmark, BenchReport, BenchRow } from '../../compare/bench.ts'
import { machineInfo } from '../../records/machine-info.ts'
import { ConfigError } from '../../errors.ts'
import { didYouMean } from '../../nearest-name.ts'
import type { AddCommand } from '../context.ts'
import { formatNumber, formatRatio, formatSpread } from '../format.ts'
import { argument, parseInteger } from '../parse.ts'
import { formatTable } from '../table.ts'
import { installedVersions } from '../../records/versions.ts'

interface BenchOptions {
  readonly rounds?: number
  readonly quick?: true
}

/** `tutti bench NAME`: ours against a peer in the same run. */
export const addBench: AddCommand = (program, { output, interrupts }) => {
  program
    .command('bench')
    .summary('measure ours against a peer, in the same run')
    .description(
      'Runs benchmarks/NAME/main.ts of the working directory or of this clone. Rounds of ours and of the peer are interleaved; ratio is the ' +
        'median of the ratios within a round, above 1 where ours is better. Without a name, lists what there is.',
    )
    .argument('[name]', 'a folder of benchmarks/, or the path of a benchmark file')
    .option(
      '--rounds <n>',
      'rounds per case, at least 3 (default: the benchmark decides)',
      argument((text) => parseInteger(text, { min: 3 })),
    )
    .option('--quick', 'fewer iterations: for a first look, not for reporting')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  tutti bench models --quick\n  tutti bench allreduce --rounds 21 --json > allreduce.json')
    .action(async (name: string | undefined, options: BenchOptions) => {
      const folders = benchmarkFolders()
      const names = [...new Set(folders.flatMap(benchmarksIn))]
      if (name === undefined) {
        output.result(names, () => names.join('\n') || 'no benchmarks here (they lie in benchmarks/ of a clone)')
        return
      }
      const file = findBenchmark(name, folders, names)
      const benchmark = requireBenchmark(file, await importUserModule(file))
      using stop = interrupts()
      const load = loadavg()[0]! / machineInfo().cores
      if (load > quietLoad) output.note(`the machine is busy (load ${formatNumber(load)} of its cores): figures will be noisy`)
      const context: BenchContext = {
        ...(options.rounds === undefined ? {} : { rounds: options.rounds }),
        quick: options.quick === true,
        signal: stop.signal,
        dir: dirname(file),
        log: (line) => output.note(line),
      }
      const rows: BenchRow[] = []
      let failure: unknown
      try {
        for await (const row of await benchmark.run(context)) {
          // One that comes after the stop may be of half a measurement.
          stop.signal.throwIfAborted()
          rows.push(row)
        }
        stop.signal.throwIfAborted()
      } catch (error) {
        // What was measured before is reported first.
        failure = error
        if (rows.length === 0) throw error
      }
      const { versions: _, memoryBytes: __, ...machine } = machineInfo()
      const report: BenchReport = {
        name,
        threads: benchmark.threads ?? 'as each row says',
        machine,
        versions: { ...installedVersions(), ...benchmark.versions?.() },
        load,
        rows,
      }
      output.result(report, () => formatReport(report))
      if (failure !== undefined) throw failure
    })
}

/** Load below which figures count, as a share of the cores. */
const quietLoad = 0.3

function benchmarkFolders(): string[] {
  const own = fileURLToPath(new URL('../../../benchmarks', import.meta.url))
  return [...new Set([resolve('benchmarks'), own])].filter((folder) => existsSync(folder))
}

function benchmarksIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'main.ts')))
    .sort()
}

function findBenchmark(name: string, folders: readonly string[], names: readonly string[]): string {
  if (/\.[mc]?[jt]s$/.test(name)) return resolve(name)
  const found = folders.map((folder) => join(folder, name, 'main.ts')).find((file) => existsSync(file))
  if (found !== undefined) return found
  const hint =
    didYouMean(name, names) ||
    (names.length === 0 ? ' — there are none here (they come with a clone)' : ` — expected one of ${names.join(', ')}`)
  throw new ConfigError(`bench: no benchmark '${name}'${hint}`)
}

function requireBenchmark(file: string, module: Readonly<Record<string, unknown>>): Benchmark {
  if (typeof module['run'] === 'function') return module as unknown as Benchmark
  throw new ConfigError(
    `bench: ${file} is no benchmark — expected an export run(context), got ${Object.keys(module).join(', ') || 'no exports'}`,
  )
}

function formatReport({ name, threads, machine, versions, rows }: BenchReport): string {
  const software = Object.entries(versions).map(([part, version]) => `${part} ${version}`)
  const head = [
    `${name} · ${machine.cpu}, ${machine.cores} cores, ${machine.simd[0] ?? 'no SIMD'}, ${machine.platform} · threads: ${threads}`,
    software.join(', '),
  ]
  const table = formatTable<BenchRow>(rows, [
    { title: 'case', value: (row) => row.case },
    { title: 'unit', value: (row) => row.unit },
    { title: 'ours', value: (row) => formatNumber(row.ours), align: 'right' },
    { title: 'peer', value: (row) => (row.peer === null ? undefined : formatNumber(row.peer)), align: 'right' },
    { title: 'ratio', value: (row) => (row.ratio === null ? undefined : formatRatio(row.ratio)), align: 'right' },
    { title: 'spread', value: (row) => formatSpread(row.spread), align: 'right' },
    { title: 'against', value: (row) => (row.note === undefined ? row.peerName : `${row.peerName} (${row.note})`) },
  ])
  return [...head, '', table, '', 'ratio above 1: ours is better'].join('\n')
}
