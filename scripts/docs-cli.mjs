#!/usr/bin/env node
// `npm run docs`: writes docs/cli.md from the help texts of the command line, so that both always say the same.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { at } from './project.mjs'
import { setUp } from './setup.mjs'

const target = at('docs/cli.md')
const { built } = await setUp()
if (!built) process.exit(1)

const { createProgram } = await import(pathToFileURL(at('dist/cli/program.js')).href)
const text = renderProgram(createProgram)

if (process.argv.includes('--check')) {
  const current = readFileSync(target, 'utf8')
  if (current !== text) {
    process.stderr.write('docs/cli.md is not what the command line says: run npm run docs\n')
    process.exitCode = 1
  }
} else {
  mkdirSync(at('docs'), { recursive: true })
  writeFileSync(target, text)
}

/** Each command's help as commander prints it, under a heading of its own. */
function renderProgram(create) {
  let printed = ''
  const sink = {
    write(chunk) {
      printed += chunk
    },
  }
  const program = create({ output: { stdout: sink, stderr: sink, json: false }, interrupts() {}, endWith() {} })
  const helpOf = (command) => {
    printed = ''
    command.configureHelp({ ...command.configureHelp(), helpWidth: 110 })
    command.outputHelp()
    return `\`\`\`text\n${printed.trim()}\n\`\`\``
  }
  const section = (command, path) => [
    `## ${path}\n\n${helpOf(command)}`,
    ...command.commands.flatMap((inner) => section(inner, `${path} ${inner.name()}`)),
  ]
  const sections = program.commands.flatMap((command) => section(command, `tutti ${command.name()}`))
  return [
    '# Command line',
    'Written by `npm run docs` from the help texts; do not edit. In a clone, `npm run -s tutti -- ARGS` stands for `tutti ARGS`.',
    helpOf(program),
    ...sections,
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n')
}
