#!/usr/bin/env node
// Bundles the script of the comparison report (src/compare/report/client) into one file that the report inlines:
// `node scripts/build-report.mjs [OUTFILE]`, default dist/compare/report/client.js.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Writes the bundle, headed by the licences of what is in it, and returns its size in bytes. */
export async function buildReport(outfile = join(root, 'dist/compare/report/client.js')) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: ['src/compare/report/client/main.ts'],
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    charset: 'ascii',
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
  })
  const text = `/*\n${licences(Object.keys(result.metafile.inputs))}\n*/\n${result.outputFiles[0].text}`
  // The bundle stands inside a <script> element: these sequences would change how the page is parsed.
  const forbidden = /<!--|<\/?script/i.exec(text)
  if (forbidden) throw new Error(`build-report: the bundle contains ${forbidden[0]}, which cannot stand inside a script element`)
  mkdirSync(dirname(outfile), { recursive: true })
  writeFileSync(outfile, text)
  return Buffer.byteLength(text)
}

/** Licence texts of the bundled packages, each text once under the names that share it. */
function licences(inputs) {
  const packages = new Set(inputs.flatMap((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []))
  const byText = new Map()
  for (const folder of [...packages].sort()) {
    const path = join(root, folder)
    const { name, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
    const file = existsSync(path) && readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry))
    const text = file ? readFileSync(join(path, file), 'utf8').trim().replace(/\*\//g, '* /') : `Licence: ${license}`
    byText.set(text, [...(byText.get(text) ?? []), name])
  }
  return [...byText].map(([text, names]) => `${names.join(', ')}\n\n${text}`).join('\n\n----\n\n')
}

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  const bytes = await buildReport(process.argv[2] && resolve(process.argv[2]))
  console.log(`report script: ${Math.round(bytes / 1000)} kB`)
}
