#!/usr/bin/env node
// Writes docs/layers.md from the signatures, option types and doc comments in src/nn/layers.
// `--check` writes nothing and ends with 1 when the page is not what it should be.
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { at, filesBelow } from './project.mjs'

const target = at('docs/layers.md')

/** Headings, and the files below each. */
const chapters = {
  'Dense, embeddings': ['dense', 'embedding', 'share'],
  'Images and volumes': ['conv', 'conv-transpose', 'pool'],
  Norms: ['batch-norm', 'layer-norm', 'group-norm'],
  Sequences: ['recurrent', 'attention', 'transformer'],
  Graphs: ['neighbours'],
  'Activations, dropout': ['activations', 'dropout'],
  Arithmetic: ['arithmetic'],
  Shapes: ['arrange'],
}

/** The page. @param texts - source by file name, without the ending */
export function layersPage(texts) {
  const files = new Map(
    Object.entries(texts).map(([name, text]) => [name, ts.createSourceFile(`${name}.ts`, text, ts.ScriptTarget.Latest, true)]),
  )
  const named = new Set(files.get('index').statements.flatMap((each) => each.exportClause?.elements?.map(({ name }) => name.text) ?? []))
  const optionsOf = new Map(
    [...files.values()].flatMap((file) => file.statements.filter(ts.isInterfaceDeclaration)).map((each) => [each.name.text, each]),
  )
  const aliases = new Map(
    [...files.values()].flatMap((file) => file.statements.filter(ts.isTypeAliasDeclaration)).map((each) => [each.name.text, each.type]),
  )

  const fieldsOf = (type) => {
    const found = optionsOf.get(type) ?? optionsOf.get(aliases.get(type)?.typeName?.text)
    if (found === undefined) return []
    const inherited = found.heritageClauses?.flatMap(({ types }) => types.flatMap(({ expression }) => fieldsOf(expression.text))) ?? []
    return [
      ...inherited,
      ...found.members.map((member) => ({
        name: member.name.text,
        text: commentOf(member).text,
        isRequired: member.questionToken === undefined,
      })),
    ]
  }

  const layerText = (declaration) => {
    const { text, tags } = commentOf(declaration)
    const options = declaration.parameters.find(({ type }) => /Options$/.test(type?.getText() ?? ''))
    const call = declaration.parameters.map((each) => {
      if (each === options) return each.initializer === undefined ? 'options' : 'options?'
      return each.name.text + (each.initializer === undefined ? '' : ` = ${each.initializer.getText()}`)
    })
    const lines = [`**\`nn.${declaration.name.text}(${call.join(', ')})\`**`, text]
    const parts = fieldsOf(declaration.type?.getText())
    const result = parts.length === 0 ? '' : `${parts.map((part) => fieldText({ ...part, isRequired: false })).join('; ')}. `
    for (const { name, argument, words } of tags) {
      if (name === 'param') lines.push(`- \`${argument}\`: ${lowered(words)}`)
      if (name === 'returns') lines.push(`- gives ${result === '' ? lowered(words) : result + words}`)
    }
    const fields = fieldsOf(options?.type.getText()).filter(({ name }) => name !== 'name')
    if (fields.length > 0) lines.push(`- options: ${fields.map(fieldText).join('; ')}`)
    const [head, comment, ...bullets] = lines
    return [head, [comment, ...bullets].filter((line) => line !== '').join('\n')].join('  \n').replace(/\n- /, '\n\n- ')
  }

  const sections = Object.entries(chapters).map(([title, names]) => {
    const declarations = names.flatMap((name) =>
      files.get(name).statements.filter((each) => ts.isFunctionDeclaration(each) && named.has(each.name.text)),
    )
    return [`## ${title}`, ...declarations.map(layerText)].join('\n\n')
  })
  const covered = new Set(Object.values(chapters).flat())
  const missing = [...files].filter(
    ([name, file]) => !covered.has(name) && file.statements.some((each) => ts.isFunctionDeclaration(each) && named.has(each.name.text)),
  )
  if (missing.length > 0) throw new Error(`docs-layers: no chapter for ${missing.map(([name]) => name).join(', ')}`)
  return [
    '# Layers',
    'Written by `node scripts/docs-layers.mjs` from `src/nn/layers`; do not edit.',
    "Every layer is a function: tensors in, a tensor out, shapes checked at once. The last argument of each may name it, `{ name: 'c1' }` (default: its kind and a number): " +
      'the name stands in errors, in `model.summary()`, and before its parameters. Shapes begin with `batch`, which stays open. [How models are made of them](networks.md).',
    ...sections,
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n')
}

/** The doc comment of a declaration: its text, and its tags, each as one line. */
function commentOf(node) {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc)
  if (doc === undefined) return { text: '', tags: [] }
  const body = doc
    .getText()
    .slice(3, -2)
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trim())
    .join(' ')
  const [text = '', ...rest] = body.split(/ @(?=(?:param|returns|throws|see|example) )/)
  const tags = rest.map((tag) => {
    const [, name, , argument, words] = /^(\w+) ((\w+) - )?(.*)$/s.exec(tag) ?? []
    return { name, argument, words: plain(words ?? '') }
  })
  return { text: plain(text.replace(/^@(?:param|returns|throws|see|example) .*/, '')), tags }
}

function plain(text) {
  return text
    .replaceAll(/\{@link (\w+)\}/g, '`$1`')
    .trim()
    .replace(/\.$/, '')
}

const fieldText = ({ name, text, isRequired }) => `\`${name}\`${isRequired ? ' (required)' : ''}: ${lowered(text)}`

const lowered = (text) => text.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase())

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const sources = filesBelow(at('src/nn/layers')).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  const page = layersPage(Object.fromEntries(sources.map((file) => [basename(file, '.ts'), readFileSync(file, 'utf8')])))
  if (!process.argv.includes('--check')) writeFileSync(target, page)
  else if (readFileSync(target, 'utf8') !== page) {
    process.stderr.write('docs/layers.md is not what it should be: run node scripts/docs-layers.mjs\n')
    process.exitCode = 1
  }
}
