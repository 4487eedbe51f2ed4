import type { MachineInfo, RunRecord } from '../../records/record.ts'
import { count, formatBytes, formatRows, joinWords } from '../verdict/format-quantity.ts'
import { type Markup, html } from './html.ts'
import { uniqueMachines } from './results.ts'

/** Head of the page: what was compared, when, on which machine, with which versions. */
export function head(records: readonly RunRecord[], title: string, command: string | undefined): Markup {
  const configs = records.map((record) => record.config)
  const distinct = <T>(values: readonly T[]) => [...new Set(values)]
  const workloads = distinct(configs.map((config) => config.workload)).map((workload) => {
    const sizes = distinct(configs.filter((config) => config.workload === workload).map((config) => config.rows)).sort((a, b) => a - b)
    return `${workload} (${joinWords(sizes.map(formatRows))} rows)`
  })
  const seeds = distinct(configs.map((config) => config.seed)).sort((a, b) => a - b)
  const workers = distinct(configs.map((config) => config.workers)).sort((a, b) => a - b)
  const machines = uniqueMachines(records)
  return html`<header class="head">
<div class="bar"><span class="mark">tutti <span>compare</span></span>
<button type="button" class="theme" data-theme-toggle aria-label="Switch between light and dark">Theme: system</button></div>
<h1>${title}</h1>
<dl class="facts">
${fact('Workloads', workloads.join(', '), true)}
${fact('Systems', distinct(configs.map((config) => config.system)).join(', '))}
${fact('Fabrics', distinct(configs.map((config) => config.fabric)).join(', '))}
${fact('Workers', `${workers.join(', ')}; ${seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds.join(', ')}`}`)}
${fact('When', period(configs.map((config) => config.startedAt)))}
${machines.map((machine, i) => fact(machines.length > 1 ? `Machine ${i + 1}` : 'Machine', machineWords(machine), true))}
${fact('Versions', versionWords(configs[0]?.version, machines), true)}
${command !== undefined && fact('Command', html`<code>${command}</code>`, true)}
</dl>
</header>`
}

function fact(name: string, value: string | Markup, full = false): Markup {
  return html`<div class="${full ? 'full' : 'half'}"><dt>${name}</dt><dd>${value}</dd></div>`
}

function machineWords(machine: MachineInfo): string {
  const simd = machine.simd.join(' ')
  return [
    machine.cpu,
    count(machine.cores, 'core'),
    ...(simd ? [simd] : []),
    `${formatBytes(machine.memoryBytes)} memory`,
    machine.platform,
  ].join(', ')
}

function versionWords(own: string | undefined, machines: readonly MachineInfo[]): string {
  const versions = new Map(machines.flatMap((machine) => Object.entries(machine.versions)).filter(([name]) => name !== 'tutti'))
  return [`tutti ${own ?? ''}`, ...[...versions].map(([name, version]) => `${name} ${version}`)].join(', ')
}

/** `2026-03-14 09:11 – 09:30 UTC`; what is no ISO time is shown as it is. */
function period(starts: readonly string[]): string {
  const sorted = [...starts].sort()
  const [first = '', last = ''] = [sorted[0], sorted.at(-1)]
  const iso = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/
  const [a, b] = [iso.exec(first), iso.exec(last)]
  if (!a || !b) return first === last ? first : `${first} – ${last}`
  const end = a[1] === b[1] ? b[2] : `${b[1]} ${b[2]}`
  return first.slice(0, 16) === last.slice(0, 16) ? `${a[1]} ${a[2]} UTC` : `${a[1]} ${a[2]} – ${end} UTC`
}
