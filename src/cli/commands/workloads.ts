import type { Workload } from '../../api/workloads/workload.ts'
import type { AddCommand } from '../context.ts'
import { formatFacts, formatTable } from '../table.ts'

/** `tutti workloads [id]`: model × data × recipe. */
export const addWorkloads: AddCommand = (program, { output }) => {
  program
    .command('workloads')
    .summary('what there is to learn: model, data and recipe')
    .description(
      'Lists the workloads: a model or learner, the data it learns from and the recipe it is run by. With an id, shows the recipe.',
    )
    .argument('[id]', 'a workload, such as lenet-5/mnist')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  tutti workloads\n  tutti workloads lenet-5/mnist')
    .action(async (id: string | undefined) => {
      const { findWorkload, workloads } = await import('../../api/workloads/index.ts')
      if (id === undefined) {
        const all = Object.values(workloads)
        output.result(all.map(withoutCode), () => `${formatWorkloads(all)}\n\ntutti workloads ID shows the recipe.`)
        return
      }
      const workload = findWorkload(id)
      output.result(withoutCode(workload), () => formatWorkload(workload))
    })
}

function withoutCode(workload: Workload): Record<string, unknown> {
  return Object.fromEntries(Object.entries(workload).filter(([, value]) => typeof value !== 'function'))
}

function formatWorkloads(all: readonly Workload[]): string {
  return formatTable(all, [
    { title: 'workload', value: (workload) => workload.id },
    { title: 'what', value: (workload) => workload.title },
    { title: 'data', value: (workload) => workload.data },
    { title: 'systems', value: (workload) => [...new Set(workload.defaultSystems)].join(' ') },
    { title: 'budget', value: budgetOf },
  ])
}

function budgetOf(workload: Workload): string {
  const [count, unit] = workload.kind === 'deep' ? [workload.epochs, 'epoch'] : [workload.maxSteps, 'step']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

function formatWorkload(workload: Workload): string {
  const facts: [string, string][] = [
    ['data', [workload.data, ...describe(workload.dataOptions)].join(', ')],
    ['systems', systemsText(workload)],
    ['budget', budgetOf(workload)],
    ['source', workload.source],
  ]
  if (workload.kind === 'deep') {
    const { kind, ...rates } = workload.recipe.optimizer
    facts.push(
      ['batch', `${workload.recipe.globalBatchSize} ${workload.recipe.globalBatchSize === 1 ? 'row' : 'rows'} of all ranks`],
      ['optimiser', [kind, ...describe(rates)].join(', ')],
      ['schedule', workload.recipe.schedule.kind],
    )
  } else {
    const options = describe(workload.systemOptions)
    if (options.length > 0) facts.push(['options', options.join(', ')])
  }
  return `${workload.id}: ${workload.title}\n\n${formatFacts(facts)}`
}

function systemsText({ defaultSystems: [alone, together] }: Workload): string {
  if (alone === together) return alone === 'solo' ? `${alone}: one worker` : alone
  return `${alone} alone, ${together} with more workers`
}

function describe(options: object): string[] {
  return Object.entries(options).map(([name, value]) => `${name} ${String(value)}`)
}
