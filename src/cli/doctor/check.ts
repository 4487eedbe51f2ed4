import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { spawnSync } from 'node:child_process'

/** One line of `tutti doctor`. */
export interface Check {
  readonly name: string
  /** `ok`: there and working. `missing`: optional, not there. `problem`: needed and not working; the command then ends with 1. */
  readonly status: 'ok' | 'missing' | 'problem'
  readonly detail: string
  /** How to mend it; always there unless the status is `ok`. */
  readonly mend?: string
}

/** Where a program lies, by PATH. */
export function findProgram(...names: readonly string[]): string | undefined {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : ['']
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  for (const name of names) {
    for (const folder of folders) {
      const found = endings.map((ending) => join(folder, name + ending)).find(isExecutable)
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** What a program prints on standard output, or undefined when it cannot be run, fails, or takes longer than `timeoutMs`. */
export function outputOf(command: string, args: readonly string[], timeoutMs = 10_000): string | undefined {
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: timeoutMs, stdio: ['ignore', 'pipe', 'pipe'] })
  return result.status === 0 ? result.stdout.trim() : undefined
}

/** How to install Debian packages from here: with sudo unless root, or where else to look on other systems. */
export function installHint(debian: string, brew?: string): string {
  if (process.platform === 'darwin') return brew === undefined ? 'not available on macOS' : `brew install ${brew}`
  if (process.platform === 'win32') return 'not available on Windows'
  return `${process.getuid?.() === 0 ? '' : 'sudo '}apt-get install ${debian}`
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
