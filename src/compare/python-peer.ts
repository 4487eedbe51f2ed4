/**
 * The other side of a benchmark, in Python or behind any other command, in a process of its own that stays alive between rounds.
 *
 *   we write    run 200\n                                   200 iterations, timed inside the peer
 *   it answers  {"seconds_per_iteration": 0.00166, …}\n     further fields are the benchmark's (inertia, accuracy); `versions`, an
 *                                                           object of strings, goes into the head of the report
 * What it prints before the first `run` and lines that are not JSON objects are passed over. It ends when its standard input closes.
 * @packageDocumentation
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { BackendError } from '../errors.ts'

/** What a round answers. */
export interface PythonAnswer {
  readonly seconds_per_iteration: number
  readonly versions?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

/** Options of {@link PythonPeer.start}. */
export interface PythonPeerOptions {
  /** The script. */
  readonly script: string | URL
  readonly args?: readonly string[]
  /** Command that installs what it imports: `pip install torch==2.13.0`. */
  readonly install: string
  /** Threads of its numerical libraries (default 1), set through OMP_NUM_THREADS and its kin before anything is imported. */
  readonly threads?: number
  /** What runs the script, with the arguments before it; default `python3 -u`, or what `TUTTI_PYTHON` names in its place. */
  readonly command?: readonly [program: string, ...args: string[]]
  readonly signal?: AbortSignal
}

/** A process, usually of Python, that times rounds on demand. Close it, or bind it with `await using`. */
export class PythonPeer implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #script: string
  readonly #answers: AsyncIterator<string>
  readonly #signal: AbortSignal | undefined
  #errorText = ''
  #versions: Readonly<Record<string, string>> = {}

  private constructor(child: ChildProcessWithoutNullStreams, script: string, signal: AbortSignal | undefined) {
    this.#child = child
    this.#script = script
    this.#signal = signal
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errorText = (this.#errorText + text).slice(-10_000)
    })
    // A peer that has gone makes writing fail; the missing answer tells it better.
    child.stdin.on('error', () => {})
  }

  /**
   * Starts the script and lets it run one iteration, which loads everything.
   * @returns the peer, or how to install what is missing: without the command, or when an import of the script fails.
   * @throws {BackendError} BACKEND when the script fails for another reason; the message ends with its last line.
   */
  static async start(options: PythonPeerOptions): Promise<PythonPeer | { readonly missing: string }> {
    const script = typeof options.script === 'string' ? options.script : fileURLToPath(options.script)
    const [program, ...before] = options.command ?? [process.env['TUTTI_PYTHON'] || 'python3', '-u']
    const threads = String(options.threads ?? 1)
    const limits = { OMP_NUM_THREADS: threads, MKL_NUM_THREADS: threads, OPENBLAS_NUM_THREADS: threads, NUMEXPR_NUM_THREADS: threads }
    const child = spawn(program, [...before, script, ...(options.args ?? [])], {
      env: { ...process.env, ...limits },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    try {
      await once(child, 'spawn')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      const first = options.command === undefined ? 'apt-get install python3 python3-pip, then ' : ''
      return { missing: `${program} is not installed: ${first}${options.install}` }
    }
    // An abort ends the process through this event; the missing answer tells it to who waits for one.
    child.on('error', () => {})
    const peer = new PythonPeer(child, script, options.signal)
    try {
      await peer.round(1)
      return peer
    } catch (error) {
      await peer.close()
      const absent = missingModule.exec(peer.#errorText)
      if (absent === null) throw error
      return { missing: `${absent[1] ?? absent[2] ?? 'a package'} is not installed: ${options.install}` }
    }
  }

  /** Runs one timed round. @throws {BackendError} BACKEND when the peer ends instead of answering, and the reason of the signal that ended it. */
  async round(iterations: number): Promise<PythonAnswer> {
    this.#child.stdin.write(`run ${iterations}\n`)
    for (;;) {
      const { value, done } = await this.#answers.next()
      if (done === true) {
        this.#signal?.throwIfAborted()
        throw new BackendError(`bench: the peer ${this.#script} ended — expected an answer, got ${await this.#lastWords()}`)
      }
      const answer = parseAnswer(value)
      if (answer === undefined) continue
      this.#versions = { ...this.#versions, ...answer.versions }
      return answer
    }
  }

  /** Shorthand for {@link interleave}: seconds per iteration of one round. */
  async seconds(iterations: number): Promise<number> {
    return (await this.round(iterations)).seconds_per_iteration
  }

  /** What the peer has said about the versions of its libraries. */
  get versions(): Readonly<Record<string, string>> {
    return this.#versions
  }

  /** Closes its standard input and waits for its end. Idempotent. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.stdin.end()
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    await ended
    clearTimeout(patience)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #lastWords(): Promise<string> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'close')
    return this.#errorText.trim().split('\n').at(-1) || `exit code ${this.#child.exitCode}`
  }
}

/** How Python and Node say that a package is not there. */
const missingModule = /ModuleNotFoundError: No module named '([^']+)'|ImportError: |Cannot find (?:package|module) '([^']+)'/

function parseAnswer(line: string): PythonAnswer | undefined {
  try {
    const value: unknown = JSON.parse(line)
    const isAnswer = typeof value === 'object' && value !== null && typeof (value as PythonAnswer).seconds_per_iteration === 'number'
    return isAnswer ? (value as PythonAnswer) : undefined
  } catch {
    return undefined
  }
}
