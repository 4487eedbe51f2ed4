#!/usr/bin/env node
// Writes docs/systems/: one page per system from its metadata (dist/) and the head comment of its file (src/), and a table of all of them.
// `--check` writes nothing and ends with 1 when a page is not what it should be. Needs a built dist/ (npm run build).
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { at, filesBelow, root } from './project.mjs'

const folder = at('docs/systems')
const note = 'Written by `node scripts/docs-systems.mjs` from the system’s own description; do not edit.'

/** What `faultOutcome` stands for. */
const faultOutcomes = {
  1: 'the run ends with an error that names the rank',
  2: 'the run ends with an error that names the rank; one command goes on from the checkpoint ([how](../how-to/resume.md))',
  3: 'the other ranks go on',
}

/** What `rung` stands for. */
const rungs = {
  bit: 'the same bits',
  '1e-9': 'equal to a relative error of 1e-9',
  '1e-5': 'equal to a relative error of 1e-5',
  metric: 'another path to a score that is compared',
  statistical: 'another path every time; scores are compared over seeds',
}

const families = {
  baseline: 'Baseline',
  'data-parallel': 'Networks: every rank has the whole model and a share of the rows',
  clustering: 'Clustering',
  linear: 'Linear models',
}

/** Every page by its file name. */
export function systemPages(systems) {
  const all = Object.values(systems)
  return new Map([['index.md', indexPage(all)], ...all.map((system) => [`${system.id}.md`, systemPage(system)])])
}

function systemPage(system) {
  const file = sourceOf(system.id)
  const workers = system.id === 'solo' ? '' : ' --workers 2'
  const api =
    system.kind === 'deep'
      ? `train({ …, system: '${system.id}'${workers === '' ? '' : ', workers: 2'} })`
      : `fit({ system: '${system.id}', data, workers: 2 })`
  return page(
    `# ${system.id}: ${system.title}`,
    note,
    system.summary,
    headComment(file),
    '## Source',
    `${citation(system.reference)}\n\nCode: [${file}](../../${file})`,
    deviations(system),
    '## Run it',
    `\`\`\`sh\ntutti run --system ${system.id} --workload ${system.workloads[0]} --fabric threads${workers}\n\`\`\``,
    `In code: \`${api}\`. Workloads: ${list(system.workloads)}.`,
    '## What to expect',
    table(
      ['', ''],
      [
        ['fabrics', list(system.fabrics)],
        ['compared with one worker', rungs[system.rung]],
        ['staleness', system.maxStaleness],
        ['what is scored', system.evaluates],
        ['bytes that a rank sends in a step', system.bytesPerStep],
        ['a rank is lost', faultOutcomes[system.faultOutcome]],
      ],
    ),
    symbols(system),
    '## Options',
    options(system),
    '## Tuning',
    system.tuning,
    system.claims.length === 0 ? '' : '## Claims',
    claims(system),
  )
}

function symbols({ id, kind }) {
  if (id === 'solo') return ''
  return kind === 'deep' ? 'n is the size of the parameters in bytes (4 a parameter), p the number of ranks.' : 'p is the number of ranks.'
}

function claims(system) {
  if (system.claims.length === 0) return ''
  const stated = system.claims.map(({ text, source }) => `- ${text} (${source})`).join('\n')
  return `Stated by the source, or derived from it.\n\n${stated}`
}

function indexPage(all) {
  const rowOf = ({ id, title, summary, fabrics, maxStaleness }) => [`[${id}](${id}.md)`, title, summary, fabrics.join(' '), maxStaleness]
  const sections = [...new Set(all.map(({ family }) => family))].map((family) => {
    const rows = all.filter((system) => system.family === family).map(rowOf)
    return `## ${families[family] ?? family}\n\n${table(['id', 'system', 'in one line', 'fabrics', 'staleness'], rows)}`
  })
  return page(
    '# Systems',
    note,
    'A system is a way of spreading learning over ranks. `tutti systems` prints this table, `tutti systems ID` one page.',
    ...sections,
    'A system of your own is one file: [how](../how-to/own-system.md).',
  )
}

function options(system) {
  const rows = Object.entries(system.options).map(([name, spec]) => [
    `\`${kebabCase(name)}\``,
    `\`${spec.default}\``,
    takes(spec),
    spec.doc,
  ])
  if (rows.length === 0) return 'None.'
  const text = `On the command line \`--set ${kebabCase(Object.keys(system.options)[0])}=…\`, in code \`systemOptions: { ${Object.keys(system.options)[0]}: … }\`.`
  return `${text}\n\n${table(['option', 'default', 'takes', 'what it does'], rows)}`
}

function takes(spec) {
  if (spec.type === 'boolean') return 'true or false'
  if (spec.type === 'choice') return spec.choices.join(', ')
  const kind = spec.type === 'integer' ? 'whole number' : 'number'
  return `${kind}${spec.min === undefined ? '' : ` ≥ ${spec.min}`}${spec.max === undefined ? '' : ` ≤ ${spec.max}`}`
}

function deviations({ deviations: list }) {
  if (list.length === 0) return 'No deviation from the source is known.'
  return `Deviations:\n\n${list.map((text) => `- ${text}`).join('\n')}`
}

function citation({ authors, title, venue, year, place, url }) {
  const end = [`${authors}: *${title}*. ${venue}, ${year}`, place].filter((part) => part !== undefined).join(', ')
  return url === undefined ? `${end}.` : `${end}. <${url}>`
}

/** The file of a system: named after its id, as CONTRIBUTING.md asks for. */
function sourceOf(id) {
  const found = filesBelow(at('src/systems')).find((file) => basename(file) === `${id}.ts`)
  if (found === undefined) throw new Error(`docs: no file ${id}.ts in src/systems — expected each system in a file named after its id`)
  return relative(root, found).replaceAll('\\', '/')
}

/** The comment above the system, which has the paper's pseudocode: its prose as prose, its indented lines as a block. */
function headComment(file) {
  const text = readFileSync(at(file), 'utf8')
  const end = text.search(/^(export default|export const \w+ =) define/m)
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(text.slice(0, end))?.[1]
  if (comment === undefined) return ''
  const lines = comment.split('\n').map((line) => line.replace(/^ ?\* ?/, '').trimEnd())
  const blocks = []
  for (const line of lines.map((each) => each.replace(/^\s(?=\S)/, ''))) {
    const kind = /^ {2,}\S/.test(line) ? 'code' : line.trim() === '' ? 'blank' : 'prose'
    const last = blocks.at(-1)
    if (last?.kind === kind) last.lines.push(line)
    else blocks.push({ kind, lines: [line] })
  }
  return blocks
    .filter(({ kind }) => kind !== 'blank')
    .map(({ kind, lines: own }) =>
      kind === 'code' ? `\`\`\`text\n${own.map((line) => line.slice(2)).join('\n')}\n\`\`\`` : own.join(' ').trim(),
    )
    .join('\n\n')
}

function table(titles, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n')
}

const list = (names) => names.map((name) => `\`${name}\``).join(', ')
const kebabCase = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
const page = (...parts) => `${parts.filter((part) => part !== '').join('\n\n')}\n`

async function main() {
  const entry = at('dist/systems/index.js')
  if (!existsSync(entry)) throw new Error('docs: dist/ is not built — expected dist/systems/index.js (npm run build)')
  const { systems } = await import(pathToFileURL(entry).href)
  const pages = systemPages(systems)
  const present = existsSync(folder) ? readdirSync(folder) : []
  const stale = present.filter((name) => !pages.has(name))
  const differing = [...pages].filter(([name, text]) => !present.includes(name) || readFileSync(join(folder, name), 'utf8') !== text)
  if (!process.argv.includes('--check')) {
    mkdirSync(folder, { recursive: true })
    for (const name of stale) rmSync(join(folder, name))
    for (const [name, text] of differing) writeFileSync(join(folder, name), text)
    return
  }
  const wrong = [...stale, ...differing.map(([name]) => name)]
  if (wrong.length === 0) return
  process.stderr.write(`docs/systems: ${wrong.join(', ')} not up to date (node scripts/docs-systems.mjs)\n`)
  process.exitCode = 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((error) => {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  })
}
