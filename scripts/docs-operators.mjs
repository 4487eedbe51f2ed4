#!/usr/bin/env node
// Writes docs/operators.md from the table of operators (dist/), their test cases and the doc comments of their rules (src/).
// `--check` writes nothing and ends with 1 when the page is not what it should be. Needs a built dist/ (npm run build).
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'
import { tsImport } from 'tsx/esm/api'
import { at, filesBelow } from './project.mjs'

const target = at('docs/operators.md')

/** The page. */
export function operatorsPage(ops, primitives, cases) {
  const sources = filesBelow(at('src/graph/ops')).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  const rules = sources.filter((file) => !file.includes('/cases/')).map((file) => ({ file, text: readFileSync(file, 'utf8') }))
  const found = Object.entries(ops).map(([name, rule]) => {
    const home = rules.find(({ text }) => declaration(name).test(text))
    return {
      name,
      file: home === undefined ? '' : basename(home.file),
      title: home === undefined ? '' : headOf(home.text),
      text: home === undefined ? '' : commentOf(home.text, name),
      gradient: rule.gradient === undefined ? '' : 'yes',
      primitive: primitives.includes(name) ? 'yes' : '',
      cases: cases.filter(({ op }) => op === name).length,
    }
  })
  const files = [...new Set(found.map(({ file }) => file))].sort()
  const sections = files.map((file) => {
    const own = found.filter((operator) => operator.file === file)
    return [
      `## ${file.replace('.ts', '')}`,
      ...(own[0].title === '' ? [] : [own[0].title]),
      [
        '| operator | computes | gradient | oneDNN | cases |',
        '|---|---|---|---|---|',
        ...own.map((each) => `| \`${each.name}\` | ${cell(each.text)} | ${each.gradient} | ${each.primitive} | ${each.cases} |`),
      ].join('\n'),
    ].join('\n\n')
  })
  return (
    [
      '# Operators',
      'Written by `node scripts/docs-operators.mjs` from the rules in `src/graph/ops`; do not edit.',
      'A graph is made of these. Each has a shape rule, a lowering to ONNX and an evaluation in float64, the reference, in one place. *gradient*: it can be ' +
        'differentiated; operators without are gradients themselves, counts, or constants. *oneDNN*: where the library is found, the operator can run on it ' +
        '(in the shapes that it takes). *cases*: how many uses are run on every driver against the reference, and, where there is a gradient, against central differences.',
      `${found.length} operators, ${found.reduce((sum, each) => sum + each.cases, 0)} cases.`,
      ...sections,
      '',
    ]
      .join('\n\n')
      .trimEnd() + '\n'
  )
}

/** Where an operator is declared: by its own name, or with its gradient as a pair. */
function declaration(name) {
  return new RegExp(`^export const (?:\\[[^\\]]*)?\\b${name}\\b`, 'm')
}

/** The doc comment in front of `export const NAME`, as one line. */
function commentOf(text, name) {
  const before = text.slice(0, text.search(declaration(name)))
  const comment = /\/\*\*((?:(?!\/\*\*)[\s\S])*?)\*\/\s*$/.exec(before)
  return comment === null ? '' : plain(comment[1])
}

/** The comment at the head of a file, as one line. */
function headOf(text) {
  const comment = /^\/\*\*([\s\S]*?)\*\/\n(?:import|\n)/.exec(text)
  return comment === null ? '' : plain(comment[1]).replace(/ ?@packageDocumentation/, '')
}

function plain(comment) {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trim())
    .join(' ')
    .replaceAll(/\{@link (\w+)\}/g, '`$1`')
    .replaceAll(/ @see /g, ' See ')
    .trim()
}

function cell(text) {
  return text.replaceAll('|', '\\|')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { ops } = await import(pathToFileURL(at('dist/graph/ops/table.js')).href)
  const { dnnRules } = await import(pathToFileURL(at('dist/runtime/drivers/onednn/rules/table.js')).href)
  const { cases } = await tsImport('../src/graph/ops/cases/index.ts', import.meta.url)
  const page = operatorsPage(ops, Object.keys(dnnRules), cases)
  if (!process.argv.includes('--check')) writeFileSync(target, page)
  else if (readFileSync(target, 'utf8') !== page) {
    process.stderr.write('docs/operators.md is not what it should be: run node scripts/docs-operators.mjs\n')
    process.exitCode = 1
  }
}
