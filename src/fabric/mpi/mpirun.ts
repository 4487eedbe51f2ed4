import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type MpirunFlags, mpirunFlags } from './mpirun-flags.ts'

/** What mpirun is asked to start. */
export interface MpirunOptions extends MpirunFlags {
  readonly moduleUrl: string
  readonly extraArgs: readonly string[]
}

function mpirunArguments(options: MpirunOptions): string[] {
  const entry = fileURLToPath(new URL('./process-entry.js', import.meta.url))
  return [...mpirunFlags(options), ...options.extraArgs, process.execPath, entry, '--module', options.moduleUrl]
}

/** mpirun's own notices stand between lines of dashes. */
const rule = /^-{20,}$/
/** From SIGTERM to SIGKILL, in ms: mpirun itself needs about four seconds to end its ranks. */
const termMs = 6000
/** From the end of mpirun to the end of its pipes, in ms. */
const drainMs = 500
/** Most of its messages that are kept. */
const keptBytes = 16_384

/** A running mpirun in a process group of its own, so that Ctrl-C on the terminal reaches the driver first. */
export class Mpirun {
  readonly child: ChildProcess
  /** Resolves with the exit code (or signal) when it has ended. */
  readonly exited: Promise<string>
  /** Stop passing on what ranks and mpirun print: a failure has been reported already. */
  quiet = false
  #notices = ''
  #inNotice = false
  #line = ''

  constructor(options: MpirunOptions) {
    this.child = spawn('mpirun', mpirunArguments(options), { detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
    this.exited = new Promise((resolve) => {
      this.child.on('error', (error) => resolve(error.message))
      const ended = (code: number | null, signal: NodeJS.Signals | null): void => resolve(signal ?? `code ${code}`)
      this.child.on('close', ended)
      // A remote shell to a host that is cut off outlives mpirun and holds its pipes open: what it has said by then is all.
      this.child.on('exit', (code, signal) => setTimeout(() => ended(code, signal), drainMs).unref())
    })
    this.child.stdin?.on('error', () => {})
    // The command's own standard output is its result (--json): what ranks print is not part of it.
    this.child.stdout?.on('data', (chunk: Buffer) => {
      if (!this.quiet) process.stderr.write(chunk)
    })
    this.child.stderr?.setEncoding('utf8').on('data', (chunk: string) => this.#errors(chunk))
    // What was said last may have no end of line.
    this.child.stderr?.on('close', () => {
      if (this.#line !== '') this.#errors('\n')
    })
  }

  /** What mpirun and the ranks said on standard error, in one line. */
  get complaint(): string {
    return this.#notices
      .replaceAll(/-{20,}/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim()
      .slice(0, 600)
  }

  /** Ends mpirun and with it all ranks: after `graceMs` SIGTERM, then SIGKILL. Afterwards nothing of it keeps this process alive. */
  async end(graceMs: number): Promise<void> {
    try {
      if (await this.#within(graceMs)) return
      this.#signal('SIGTERM')
      if (await this.#within(termMs)) return
      this.#signal('SIGKILL')
      await this.#within(termMs)
    } finally {
      for (const stream of this.child.stdio) stream?.destroy()
      this.child.unref()
    }
  }

  async #within(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), ms)
    })
    const ended = await Promise.race([this.exited.then(() => true), late])
    clearTimeout(timer)
    return ended
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.child
    if (pid === undefined) return
    try {
      process.kill(pid, signal)
    } catch {
      // It has ended meanwhile.
    }
  }

  /** Passes ranks' output on and keeps mpirun's notices for the error message. */
  #errors(chunk: string): void {
    this.#line += chunk
    const lines = this.#line.split('\n')
    this.#line = lines.pop() ?? ''
    for (const line of lines) {
      const isRule = rule.test(line)
      if (isRule) this.#inNotice = !this.#inNotice
      if (this.#notices.length < keptBytes) this.#notices += `${line}\n`
      if (!isRule && !this.#inNotice && !this.quiet && line !== '') process.stderr.write(`${line}\n`)
    }
  }
}
