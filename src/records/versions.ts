import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The version of this package. */
export function packageVersion(): string {
  // By its own name, so that it is found from the sources, from dist/ and from any other folder that a build goes to.
  return (createRequire(import.meta.url)('tutti/package.json') as { version: string }).version
}

/** Versions of Node, of this package and of the native packages under it, for records and reports. Loads nothing native. */
export function installedVersions(): Record<string, string> {
  return {
    tutti: packageVersion(),
    node: process.versions.node,
    onnxruntime: versionOf('onnxruntime-node'),
    koffi: versionOf('koffi'),
  }
}

/** Read from the file, because `exports` of a package may hide its package.json. */
function versionOf(name: string): string {
  try {
    const require = createRequire(import.meta.url)
    let folder = dirname(require.resolve(name))
    while (!folder.endsWith(join('node_modules', name))) folder = dirname(folder)
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version
  } catch {
    return 'not installed'
  }
}
