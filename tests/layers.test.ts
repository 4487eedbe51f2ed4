/**
 * The folders of src/ are layers, and imports point downwards only. Type-only imports may point upwards, where a contract lives there:
 * they leave no trace in what runs.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const source = fileURLToPath(new URL('../src', import.meta.url))

/** Highest first. Entry files of the package stand above what they export; leaves that everybody may use stand at the bottom. */
const layers = [
  'cli',
  'index.ts',
  'estimators',
  'api',
  'compare',
  'systems',
  'train',
  'nn',
  'runtime',
  'graph',
  'records',
  'fabric',
  'data',
  'kernels',
  'memory',
  'option-checks.ts',
  'nearest-name.ts',
  'rng.ts',
  'errors.ts',
] as const

/** How ranks talk is a parameter of a system: it knows the contracts, never what implements them. */
const transports = ['virtual', 'threads', 'mpi', 'hybrid', 'launchers', 'control'].map((folder) => `fabric/${folder}/`)

/** Folders that a browser will run as they are. */
const neutral = ['graph', 'nn', 'errors.ts', 'rng.ts', 'nearest-name.ts', 'option-checks.ts']

interface Import {
  readonly from: string
  /** Path below src/, or the name of a package. */
  readonly to: string
  readonly isPackage: boolean
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.endsWith('.d.ts'))
  .map((file) => file.replaceAll('\\', '/'))
  // AssemblyScript and the report's browser script are programs of their own.
  .filter((file) => !file.startsWith('kernels/assembly/') && !file.startsWith('compare/report/client/'))
  .sort()

const trees = new Map(
  files.map((file) => [file, ts.createSourceFile(file, readFileSync(join(source, file), 'utf8'), ts.ScriptTarget.Latest, true)]),
)
const imports = files.flatMap(valueImports)

function valueImports(from: string): Import[] {
  const found: Import[] = []
  const add = (specifier: ts.Expression | undefined): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return
    const isPackage = !specifier.text.startsWith('.')
    const to = isPackage ? specifier.text : relative(source, resolve(source, dirname(from), specifier.text)).replaceAll('\\', '/')
    found.push({ from, to, isPackage })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && !isTypeOnlyImport(node)) add(node.moduleSpecifier)
    if (ts.isExportDeclaration(node) && !isTypeOnlyExport(node)) add(node.moduleSpecifier)
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0])
    ts.forEachChild(node, visit)
  }
  visit(trees.get(from)!)
  return found
}

function isTypeOnlyImport({ importClause: clause }: ts.ImportDeclaration): boolean {
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const bindings = clause.namedBindings
  return (
    clause.name === undefined &&
    bindings !== undefined &&
    ts.isNamedImports(bindings) &&
    bindings.elements.every((element) => element.isTypeOnly)
  )
}

function isTypeOnlyExport(node: ts.ExportDeclaration): boolean {
  if (node.isTypeOnly) return true
  return (
    node.exportClause !== undefined &&
    ts.isNamedExports(node.exportClause) &&
    node.exportClause.elements.every((element) => element.isTypeOnly)
  )
}

const layerOf = (file: string): string => file.split('/')[0]!
const heightOf = (file: string): number => layers.length - layers.indexOf(layerOf(file) as (typeof layers)[number])

describe('layers', () => {
  it('finds the sources and their imports', () => {
    expect(files).toContain('cli/main.ts')
    expect(imports).toContainEqual({ from: 'cli/main.ts', to: 'cli/program.ts', isPackage: false })
    expect(imports.some((edge) => edge.from === 'cli/commands/doctor.ts' && edge.to === 'cli/doctor/all-checks.ts')).toBe(true)
  })

  it('knows every folder of src/', () => {
    expect(files.filter((file) => !(layers as readonly string[]).includes(layerOf(file)))).toEqual([])
  })

  it('imports downwards only', () => {
    const upward = imports.filter((edge) => !edge.isPackage && heightOf(edge.to) > heightOf(edge.from))
    expect(upward.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
  })

  it('keeps systems, estimators and models away from transports', () => {
    const wrong = imports.filter(
      (edge) => ['systems', 'estimators', 'nn'].includes(layerOf(edge.from)) && transports.some((folder) => edge.to.startsWith(folder)),
    )
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
  })

  it('keeps Node and native parts out of what a browser will run', () => {
    const wrong = imports.filter(
      (edge) =>
        neutral.includes(layerOf(edge.from)) && (edge.to.startsWith('node:') || ['koffi', 'onnxruntime-node', 'esbuild'].includes(edge.to)),
    )
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
  })

  it('has no circle of imports', () => {
    expect(firstCircle()).toBeUndefined()
  })
})

describe('randomness and time', () => {
  it('come from a seed and from the monotonic clock', () => {
    const uses = files.flatMap((file) => memberUses(file, { Math: ['random'], Date: ['now'] }).map((use) => `${file}: ${use}`))
    expect(uses).toEqual([])
  })
})

function memberUses(file: string, banned: Readonly<Record<string, readonly string[]>>): string[] {
  const uses: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression) && banned[node.expression.text]?.includes(node.name.text))
      uses.push(node.getText())
    ts.forEachChild(node, visit)
  }
  visit(trees.get(file)!)
  return uses
}

/** Files on a circle of static or dynamic imports, in order, or undefined. */
function firstCircle(): string[] | undefined {
  const next = new Map(files.map((file) => [file, imports.filter((edge) => edge.from === file && !edge.isPackage).map((edge) => edge.to)]))
  const done = new Set<string>()
  const walk = (file: string, path: readonly string[]): string[] | undefined => {
    const at = path.indexOf(file)
    if (at >= 0) return [...path.slice(at), file]
    if (done.has(file)) return undefined
    for (const to of next.get(file) ?? []) {
      const circle = walk(to, [...path, file])
      if (circle !== undefined) return circle
    }
    done.add(file)
    return undefined
  }
  for (const file of files) {
    const circle = walk(file, [])
    if (circle !== undefined) return circle
  }
  return undefined
}
