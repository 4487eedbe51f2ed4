import type { CompareCase, Comparison } from '../../api/compare.ts'
import { errorFromJSON, TuttiError } from '../../errors.ts'
import { loadConfigFile } from '../config-file.ts'
import { CompareDisplay } from '../compare-display.ts'
import { formatComparison } from '../compare-report.ts'
import type { AddCommand, CommandContext } from '../context.ts'
import { exitCodes } from '../failure.ts'
import { requireFreeComparisonFolder } from '../record-folder.ts'
import { addOptions, type CompareSettings, compareOptions, settingsOf, settingsOfFile, settingsOver } from '../run-options.ts'

const examples = `
Examples:
  tutti compare                                   the preset: a network, a clustering and a regression on real and generated data
  tutti compare --workloads lenet-5/mnist --systems solo,bsp,local --fabrics threads,mpi --workers 1,2 --repeat 3
  tutti compare --workloads ols/linear --fabrics threads,mpi --workers 1,2,4 --rows 1k,10k,100k,1M
  tutti compare --workloads mlp/mnist --fabrics mpi --workers 2 --network 100mbit --epochs 1

Writes one record per run, report.html (opens from disk, needs no network) and results.json.`

/** `tutti compare`: workloads × systems × fabrics × workers × rows, with a report. */
export const addCompare: AddCommand = (program, context) => {
  const command = program
    .command('compare')
    .summary('compare ways of spreading the work, with a report')
    .description(
      'Runs every combination of the lists, one after another, and says what each way costs: solo, parallel, distributed and hybrid side by side.',
    )
  addOptions(command, compareOptions)
    .optionsGroup('Record and output:')
    .option('--config <file>', 'options from a JSON file or a module; flags win')
    .option('--out <dir>', 'folder for records and report (default runs/TIME-compare)')
    .option('--force', 'write over the report that --out holds')
    .option('--json', 'print one JSON document: results.json')
    .addHelpText('after', examples)
    .action(async (flags: CompareFlags) => {
      await runCompare(flags, context)
    })
}

interface CompareFlags extends Readonly<Record<string, unknown>> {
  readonly config?: string
  readonly out?: string
  readonly force?: boolean
}

async function runCompare(flags: CompareFlags, { output, interrupts, endWith }: CommandContext): Promise<void> {
  const api = await apiLayer()
  const fromFile = flags.config === undefined ? {} : settingsOfFile(await loadConfigFile(flags.config), compareOptions, flags.config)
  const settings: CompareSettings = settingsOver(settingsOver({}, fromFile), settingsOf(flags, compareOptions))
  const out = flags.out ?? api.defaultRunFolder('compare', new Date())
  if (flags.force !== true) requireFreeComparisonFolder(out)
  using stop = interrupts()
  const spec = await api.planComparison(settings, output, stop.signal)
  using display = new CompareDisplay(output, api.scoreOf)
  const command = ['tutti', ...process.argv.slice(2)].join(' ')
  const comparison = await api
    .compare({ ...spec, out }, { signal: stop.signal, onProgress: display.onProgress })
    .catch(async (error: unknown) => {
      display.close()
      throw await withReportSoFar(error, api.comparisonSoFar(error), { out, command })
    })
  display.close()
  const { reportPath, resultsPath, results } = await comparison.write(out, { command })
  output.result(results, () => formatComparison(results, { reportPath, resultsPath }, comparison.skipped))
  // A run that was made to fail says what it was made for.
  const failed = comparison.records.some(({ summary, config }) => summary.status === 'failed' && config.options.faults === undefined)
  if (failed) endWith(exitCodes.failed)
}

/** The error that ended a comparison, naming the report over the runs before it. */
async function withReportSoFar(error: unknown, soFar: Comparison | undefined, to: { out: string; command: string }): Promise<unknown> {
  if (soFar === undefined || !(error instanceof TuttiError)) return error
  const { reportPath } = await soFar.write(to.out, { command: to.command })
  const { code, message, details } = error
  const named = errorFromJSON({ code, message: `${message}; the report so far: ${reportPath}`, details: { ...details, reportPath } })
  named.cause = error
  return named
}

/** Imported when it is needed; here, because the compiler leaves the path of an `import()` beside `using` as it is. */
async function apiLayer() {
  const { compare, comparisonSoFar } = await import('../../api/compare.ts')
  const { defaultRunFolder } = await import('../../api/run-job.ts')
  const { planComparison } = await import('../plan-comparison.ts')
  const { findSystem } = await import('../../systems/index.ts')
  const { scoreOfStep } = await import('../metric-of.ts')
  const scoreOf = ({ system }: CompareCase): string => scoreOfStep(typeof system === 'string' ? findSystem(system) : system)
  return { compare, comparisonSoFar, defaultRunFolder, planComparison, scoreOf }
}
