import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { RunEvent } from '../../api/events.ts'
import { loadSystem } from '../../api/load-system.ts'
import { summarizeRun } from '../../compare/summary.ts'
import { CheckpointError, ConfigError, errorFromJSON, TuttiError } from '../../errors.ts'
import type { RunRecord } from '../../records/record.ts'
import type { AnySystem } from '../../systems/define.ts'
import { loadConfigFile } from '../config-file.ts'
import type { AddCommand, CommandContext } from '../context.ts'
import { showLoading } from '../data-progress.ts'
import { exitCodes } from '../failure.ts'
import { requireFreeRunFolder } from '../record-folder.ts'
import { RunDisplay } from '../run-display.ts'
import { addOptions, type RunSettings, runOptions, settingsOf, settingsOfFile, settingsOver } from '../run-options.ts'
import { formatRun } from '../run-report.ts'
import { isSystemFile } from '../user-system.ts'
import { workloadOptions } from '../workload-options.ts'

const examples = `
Examples:
  tutti run --workload lenet-5/mnist --workers 2
  tutti run --system bsp --workload lenet-5/mnist --fabric mpi --workers 4 --epochs 2 --set all-reduce=ring
  tutti run --system ./my-system.ts --workload mlp/waveform --workers 2
  tutti run --system km-lloyd --workload kmeans/mnist --fabric threads --workers 2 --json
  tutti run --resume runs/2026-01-31T10-00-00-bsp-lenet-5-mnist

A configuration file holds the same options by name: {"workload": "lenet-5/mnist", "workers": 2, "set": {"allReduce": "ring"}}.
Ctrl-C stops at a step on which all ranks agree, writes a checkpoint and ends with code 130; --resume goes on from there.`

/** `tutti run`: one workload with one system on one fabric. */
export const addRun: AddCommand = (program, context) => {
  const command = program
    .command('run')
    .summary('run a workload with one system')
    .description(
      'Trains or fits a workload with a system, spread over workers, and writes a record: metrics, traffic, times per rank, trace, model.',
    )
  addOptions(command, runOptions)
    .optionsGroup('Record and output:')
    .option('--config <file>', 'options from a JSON file or a module; flags win')
    .option('--resume <dir>', 'go on with an interrupted run, with the options that it was started with')
    .option('--out <dir>', 'folder for the record (default runs/TIME-SYSTEM-WORKLOAD)')
    .option('--force', 'write over the record that --out holds')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action(async (parsed: RunFlags) => {
      await run(parsed, context)
    })
}

interface RunFlags extends Readonly<Record<string, unknown>> {
  readonly config?: string
  readonly resume?: string
  readonly out?: string
  readonly force?: boolean
}

async function run(flags: RunFlags, { output, interrupts, endWith }: CommandContext): Promise<void> {
  const api = await apiLayer()
  const settings = await gatherSettings(flags)
  const system = settings.system === undefined ? undefined : await systemOf(settings.system)
  const workload = api.findWorkload(settings.workload ?? homeOf(system))
  const options = workloadOptions(settings, workload)
  const systemId = system?.id ?? workload.defaultSystems[(settings.workers ?? 1) > 1 ? 1 : 0]
  const dir = flags.out ?? flags.resume ?? api.defaultRunFolder(`${systemId}-${workload.id}`, new Date())
  const goesOn = flags.resume !== undefined && resolve(flags.resume) === resolve(dir)
  if (flags.force !== true && !goesOn) requireFreeRunFolder(dir)
  using stop = interrupts()
  const data = await showLoading(output, workload.data, (onProgress) =>
    api.workloadData(workload, settings.rows, { signal: stop.signal, onProgress }),
  )
  const known = system ?? api.findSystem(systemId)
  using display = new RunDisplay(output, {
    title: `${systemId} ×${settings.workers ?? 1}`,
    metricName: api.metricOf(workload, known),
    scoreName: api.scoreOfStep(known),
    simulated: settings.fabric === 'virtual',
    ...(settings.fabric === 'virtual' || settings.hosts !== undefined ? {} : { cores: availableParallelism() }),
  })
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'preflight') rememberSettings(dir, settings)
    display.onEvent(event)
  }
  const spread = { ...(system === undefined ? {} : { system }), out: dir, ...(flags.resume === undefined ? {} : { resume: flags.resume }) }
  const record = await api
    .runWorkload(workload.id, { ...options, ...spread }, { signal: stop.signal, onEvent }, data)
    .catch((error: unknown) => {
      throw withResumeHint(error, dir)
    })
  display.close()
  const row = summarizeRun(record)
  output.result({ dir: resolve(dir), ...row }, () => formatRun(row, dir))
  if (record.summary.status === 'interrupted') {
    output.note(`interrupted at step ${record.summary.steps}; go on with: tutti run --resume ${dir}`)
    endWith(exitCodes.interrupted)
  }
}

/** Flags over the configuration file over what the resumed run was started with. */
async function gatherSettings(flags: RunFlags): Promise<RunSettings> {
  const resumed = flags.resume === undefined ? {} : recallSettings(flags.resume)
  const fromFile = flags.config === undefined ? {} : settingsOfFile(await loadConfigFile(flags.config), runOptions, flags.config)
  const settings: RunSettings = [fromFile, settingsOf(flags, runOptions)].reduce<RunSettings>(settingsOver, resumed)
  if (settings.system === undefined && settings.workload === undefined) {
    throw new ConfigError('run: nothing to run — expected --workload (tutti workloads lists them) or --system (tutti systems)')
  }
  return settings
}

const settingsFile = 'command.json'

/** Kept beside the record, so that `--resume` needs no other option. The folder has been made by then. */
function rememberSettings(dir: string, settings: RunSettings): void {
  const { system } = settings
  const absolute = system !== undefined && isSystemFile(system) ? { ...settings, system: resolve(system) } : settings
  writeFileSync(join(dir, settingsFile), `${JSON.stringify(absolute, undefined, 2)}\n`)
}

function recallSettings(dir: string): RunSettings {
  try {
    const { fault: _, ...settings } = JSON.parse(readFileSync(join(dir, settingsFile), 'utf8')) as RunSettings
    // A fault that was injected has happened.
    return settings
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const got = code === 'ENOENT' ? `no ${settingsFile} there` : message
    throw new CheckpointError(`resume: ${dir} cannot be resumed — expected the folder of a run that \`tutti run\` started, got ${got}`, {
      dir,
    })
  }
}

/** The workload that a system is run on when none is named. */
function homeOf(system: AnySystem | undefined): string {
  const home = system?.workloads[0]
  if (home !== undefined) return home
  throw new ConfigError(`run: ${system?.id} names no workload — expected --workload (tutti workloads lists them)`)
}

async function systemOf(text: string): Promise<AnySystem> {
  return isSystemFile(text) ? await loadSystem(text) : (await apiLayer()).findSystem(text)
}

/** Imported when it is needed; here, because the compiler leaves the path of an `import()` beside `using` as it is. */
async function apiLayer() {
  const { runWorkload, workloadData } = await import('../../api/workloads/run.ts')
  const { findWorkload } = await import('../../api/workloads/index.ts')
  const { defaultRunFolder } = await import('../../api/run-job.ts')
  const { findSystem } = await import('../../systems/index.ts')
  const { metricOf, scoreOfStep } = await import('../metric-of.ts')
  return { findWorkload, runWorkload, workloadData, defaultRunFolder, findSystem, metricOf, scoreOfStep }
}

/** The error of a failed run, with the command that goes on from its checkpoint. */
function withResumeHint(error: unknown, dir: string): unknown {
  const record = (error as { record?: RunRecord }).record
  if (!(error instanceof TuttiError) || record?.summary.checkpoint === undefined) return error
  const { code, message, details } = error
  const hinted = errorFromJSON({ code, message: `${message}; go on with: tutti run --resume ${dir}`, details })
  hinted.cause = error
  return hinted
}
