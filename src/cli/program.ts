/**
 * The whole command line as one function: arguments in, exit code out. Commands import what they need when they run, so that `--help`
 * and `--version` load nothing native.
 * @packageDocumentation
 */
import { Command } from 'commander'
import { addBench } from './commands/bench.ts'
import { addCompare } from './commands/compare.ts'
import { addData } from './commands/data.ts'
import { addDoctor } from './commands/doctor.ts'
import { addExec } from './commands/exec.ts'
import { addExport } from './commands/export.ts'
import { addImport } from './commands/import.ts'
import { addPredict } from './commands/predict.ts'
import { addRun } from './commands/run.ts'
import { addSystems } from './commands/systems.ts'
import { addWorkloads } from './commands/workloads.ts'
import type { AddCommand, CommandContext } from './context.ts'
import { debugText, exitCodeOf, exitCodes, failureJson, failureLine } from './failure.ts'
import { watchInterrupts } from './interrupts.ts'
import { Output, type TextSink } from './output.ts'
import { packageVersion } from '../records/versions.ts'

const commands: readonly AddCommand[] = [
  addRun,
  addCompare,
  addExec,
  addSystems,
  addWorkloads,
  addData,
  addBench,
  addImport,
  addExport,
  addPredict,
  addDoctor,
]

const examples = `
Examples:
  tutti compare                                   solo, parallel, distributed and hybrid on real data, with a report
  tutti run --system bsp --workload lenet-5/mnist --fabric threads --workers 2
  tutti run --system km-lloyd --workload kmeans/mnist --fabric mpi --workers 2 --steps 20
  tutti systems                                   what there is to run; tutti systems bsp tells more about one
  tutti doctor                                    what this machine has and lacks

Exit codes: 0 done, 1 the run failed, 2 wrong usage or bad input, 130 interrupted with a resumable checkpoint.
Environment: TUTTI_DATA folders with data sets, TUTTI_DEBUG=1 stacks of errors.`

/** Where the command line writes and how it ends the process; the defaults are the process's own. */
export interface CliEnvironment {
  readonly stdout: TextSink
  readonly stderr: TextSink
  /** Ends the process without waiting for native calls (a second Ctrl-C). */
  endNow(exitCode: number): void
}

/**
 * Runs one command to its end.
 * @param args - without the interpreter and the script
 * @returns the exit code; never throws.
 */
export async function runCli(args: readonly string[], environment: CliEnvironment): Promise<number> {
  const output = new Output(environment.stdout, environment.stderr, asksForJson(args))
  let exitCode: number = exitCodes.done
  const context: CommandContext = {
    output,
    interrupts: () => watchInterrupts(output, environment.endNow),
    endWith: (code) => {
      exitCode = code
    },
  }
  try {
    await createProgram(context).parseAsync(args.length === 0 ? ['--help'] : [...args], { from: 'user' })
    return exitCode
  } catch (thrown) {
    return reportFailure(thrown, output)
  }
}

/** The commander program with all commands: also the source of docs/cli.md. */
export function createProgram(context: CommandContext): Command {
  const { output } = context
  const program = new Command('tutti')
    .description('Parallel and distributed machine learning: train, compare, and see what each way of spreading the work costs.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', examples)
    .showSuggestionAfterError(true)
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp({ showGlobalOptions: false, sortSubcommands: false })
    .configureOutput({ writeOut: (text) => output.stdout.write(text), writeErr: () => {}, outputError: () => {} })
  for (const add of commands) add(program, context)
  return program
}

/** Whether standard output is to carry one JSON document. Looked up before parsing, because an error of parsing is printed as JSON, too. */
export function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).includes('--json') && args[0] !== 'exec'
}

function reportFailure(thrown: unknown, output: Output): number {
  const exitCode = exitCodeOf(thrown)
  // `--help` and `--version` end by an exception that has already printed what was wanted.
  if (exitCode === exitCodes.done) return exitCode
  output.note(`tutti: ${failureLine(thrown)}`)
  if (process.env['TUTTI_DEBUG'] === '1') output.note(debugText(thrown))
  if (output.json && !output.hasResult) output.result(failureJson(thrown), () => '')
  return exitCode
}
