import type { AnySystem, OptionSpec } from '../../systems/define.ts'
import type { AddCommand } from '../context.ts'
import { kebabCase } from '../parse.ts'
import { formatFacts, formatTable, wrapText } from '../table.ts'

/** `tutti systems [id]`: the table of systems, or everything about one. */
export const addSystems: AddCommand = (program, { output }) => {
  program
    .command('systems')
    .summary('what ways of spreading the work there are')
    .description(
      'Lists the systems: published ways of spreading learning over workers. With an id, shows source, options, costs and tuning.',
    )
    .argument('[id]', 'a system, such as bsp')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  tutti systems\n  tutti systems ssp')
    .action(async (id: string | undefined) => {
      const { findSystem, systems } = await import('../../systems/index.ts')
      if (id === undefined) {
        const all = Object.values(systems)
        output.result(all.map(withoutCode), () => `${formatSystems(all)}\n\ntutti systems ID tells more about one.`)
        return
      }
      const system = findSystem(id)
      output.result(withoutCode(system), () => formatSystem(system))
    })
}

/** Metadata and options; what runs is not printed. */
function withoutCode(system: AnySystem): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(system).filter(([key, value]) => typeof value !== 'function' && key !== 'learner' && key !== 'assumed'),
  )
}

function formatSystems(all: readonly AnySystem[]): string {
  return formatTable(all, [
    { title: 'system', value: (system) => system.id },
    { title: 'title', value: (system) => system.title },
    { title: 'family', value: (system) => system.family },
    { title: 'year', value: (system) => String(system.reference.year) },
    { title: 'fabrics', value: (system) => system.fabrics.join(' ') },
    { title: 'workloads', value: workloadsOf },
  ])
}

function formatSystem(system: AnySystem): string {
  const { authors, title, venue, year, place, url } = system.reference
  const source = [`${authors}: ${title}. ${venue}, ${year}`, place, url].filter((part) => part !== undefined).join(', ')
  const facts: [string, string][] = [
    ['source', source],
    ['fabrics', system.fabrics.join(', ')],
    ['workloads', workloadsOf(system)],
    ['equality', `${system.rung} to one worker`],
    ['staleness', system.maxStaleness],
    ['scored', system.evaluates],
    ['bytes a step', system.bytesPerStep],
    ['a lost rank', faultOutcomes[system.faultOutcome]],
    ['tuning', system.tuning],
    ...system.claims.map((claim): [string, string] => ['claim', `${claim.text} (${claim.source})`]),
    ...system.deviations.map((text): [string, string] => ['deviation', text]),
  ]
  const options = Object.entries<OptionSpec>(system.options)
  const optionTable = options.length === 0 ? 'none' : formatTable(options, optionColumns)
  const head = `${system.id}: ${system.title} (${system.family})\n${wrapText(system.summary)}`
  return `${head}\n\n${formatFacts(facts)}\n\nOptions, as --set NAME=VALUE:\n${optionTable}`
}

/** Where a system is at home; one for networks takes all of them. */
function workloadsOf({ kind, workloads }: AnySystem): string {
  return kind === 'deep' ? `every network, such as ${workloads.join(', ')}` : workloads.join(', ')
}

const faultOutcomes: Readonly<Record<AnySystem['faultOutcome'], string>> = {
  1: 'ends with an error that names it',
  2: 'ends the run, which --resume continues',
  3: 'the others continue',
}

const optionColumns = [
  { title: 'option', value: ([name]: readonly [string, OptionSpec]) => kebabCase(name) },
  { title: 'default', value: ([, spec]: readonly [string, OptionSpec]) => String(spec.default) },
  { title: 'takes', value: ([, spec]: readonly [string, OptionSpec]) => describeValues(spec) },
  { title: 'what it does', value: ([, spec]: readonly [string, OptionSpec]) => spec.doc },
]

/** What an option takes, in words. */
function describeValues(spec: OptionSpec): string {
  if (spec.type === 'boolean') return 'true | false'
  if (spec.type === 'choice') return spec.choices.join(' | ')
  const kind = spec.type === 'integer' ? 'whole number' : 'number'
  const low = spec.min === undefined ? '' : ` ≥ ${spec.min}`
  const high = spec.max === undefined ? '' : ` ≤ ${spec.max}`
  return kind + low + high
}
