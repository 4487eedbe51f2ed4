/** What the documentation says exists: links, commands and their options, scripts, error codes, a page for every system. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createProgram } from '../../dist/cli/program.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...pagesBelow('docs')].map((path) => ({
  path,
  text: readFileSync(join(root, path), 'utf8'),
}))

function pagesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
    .sort()
}

const withoutCode = (text: string): string => text.replaceAll(/```[\s\S]*?```/g, '').replaceAll(/`[^`\n]*`/g, '')

/** The anchor that a heading gets on GitHub. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-')

describe.each(pages)('$path', ({ path, text }) => {
  it('links to files and headings that exist', () => {
    const dead: string[] = []
    for (const [, target] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (target === undefined || /^[a-z]+:/.test(target)) continue
      const [file = '', anchor] = target.split('#')
      const full = file === '' ? join(root, path) : join(root, dirname(path), file)
      if (!existsSync(full)) dead.push(target)
      else if (anchor !== undefined) {
        const anchors = [...readFileSync(full, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading ?? ''))
        if (!anchors.includes(anchor)) dead.push(target)
      }
    }
    expect(dead).toEqual([])
  })

  it('shows commands that exist', () => {
    expect(commandsIn(text).flatMap(faultsOf)).toEqual([])
  })
})

/** Command lines of shell blocks, continued lines joined, comments and prompts cut off. */
function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/```(?:sh|console)\n([\s\S]*?)```/g)].map(([, block]) => block ?? '')
  return blocks
    .flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'))
    .map((line) =>
      line
        .replace(/^\$ /, '')
        .replace(/\s+#.*$/, '')
        .trim(),
    )
}

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const sink = { write: () => true }
const program = createProgram({ output: { stdout: sink, stderr: sink, json: false }, interrupts() {}, endWith() {} } as never)

function faultsOf(line: string): string[] {
  const own = /^(?:(?:mpirun|srun) .*?)?(?:npm run -s tutti -- |npx tutti |tutti )(.*)$/.exec(line)?.[1]
  if (own !== undefined) return commandFaults(own, line)
  const script = /^npm (?:run (?:-s )?([\w-]+)|(start|test))/.exec(line)
  const name = script?.[1] ?? script?.[2]
  if (name !== undefined && scripts[name] === undefined) return [`${line}: no such script`]
  const file = /^(?:npx tsx|node) ((?:examples|scripts)\/\S+)/.exec(line)?.[1]
  return file !== undefined && !existsSync(join(root, file)) ? [`${line}: no such file`] : []
}

function commandFaults(text: string, line: string): string[] {
  const [name = '', ...rest] = text.split(/\s+/)
  if (name === '' || name.startsWith('-') || name === 'ARGS') return []
  const command = program.commands.find((each) => each.name() === name)
  if (command === undefined) return [`${line}: no such command`]
  if (name === 'exec') return []
  const known = new Set([
    '--help',
    ...[command, ...command.commands].flatMap((each) => each.options.flatMap(({ long, short }) => [long, short])),
  ])
  const isValue = (i: number) => rest[i - 1] === '--mpirun-arg'
  return rest.filter((word, i) => word.startsWith('-') && !isValue(i) && !known.has(word)).map((flag) => `${line}: no option ${flag}`)
}

describe('pages that follow from the code', () => {
  it('every system has an up-to-date page', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/docs-systems.mjs'), '--check'], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it('the page of the operators is up to date', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/docs-operators.mjs'), '--check'], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it('the page of the layers is up to date', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/docs-layers.mjs'), '--check'], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it('the models of the page of networks can be built', () => {
    const text = readFileSync(join(root, 'docs/networks.md'), 'utf8')
    const blocks = [...text.matchAll(/```ts\n([\s\S]*?)```/g)]
      .map(([, block]) => block ?? '')
      .filter((block) => block.includes('nn.model('))
    expect(blocks).toHaveLength(2)
    for (const block of blocks) {
      const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', block], { cwd: root, encoding: 'utf8' })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    }
  })

  it('every error code has a section', () => {
    const source = readFileSync(join(root, 'src/errors.ts'), 'utf8')
    const union = /export type ErrorCode =([\s\S]*?)\n\n/.exec(source)?.[1] ?? ''
    const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code)
    const sections = [...readFileSync(join(root, 'docs/errors.md'), 'utf8').matchAll(/^## (\w+)$/gm)].map(([, title]) => title)
    expect(codes.length).toBeGreaterThan(0)
    expect(sections).toEqual(codes)
  })

  it('every page can be reached from the start page', () => {
    const reached = new Set<string>()
    const open = ['docs/index.md']
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (reached.has(path) || !existsSync(join(root, path))) continue
      reached.add(path)
      for (const [, file] of readFileSync(join(root, path), 'utf8').matchAll(/\]\(([^)#\s]+\.md)/g)) {
        if (file !== undefined && !/^[a-z]+:/.test(file)) open.push(relative(root, join(root, dirname(path), file)))
      }
    }
    expect(pagesBelow('docs').filter((page) => !reached.has(page))).toEqual([])
  })
})
