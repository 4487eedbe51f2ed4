import { readFileSync } from 'node:fs'

/** Version of this package, from the nearest package.json above this file. */
export function packageVersion(): string {
  for (let directory = new URL('.', import.meta.url); ; directory = new URL('..', directory)) {
    try {
      const found = JSON.parse(readFileSync(new URL('package.json', directory), 'utf8')) as { version?: string }
      if (found.version !== undefined) return found.version
    } catch {
      // None here: one level up.
    }
    if (directory.pathname === '/' || directory.href === new URL('..', directory).href) return 'unknown'
  }
}
