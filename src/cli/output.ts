import { kebabCase } from './parse.ts'

/** Where text goes: `process.stdout` and `process.stderr`, or collectors in tests. */
export interface TextSink {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/**
 * The only way to print. Results go to standard output, everything that is said on the way to standard error. With `json`, standard
 * output gets exactly one JSON document: {@link Output.result} writes it, {@link Output.print} is silent.
 */
export class Output {
  readonly stdout: TextSink
  readonly stderr: TextSink
  readonly json: boolean
  #hasResult = false

  constructor(stdout: TextSink, stderr: TextSink, json: boolean) {
    this.stdout = stdout
    this.stderr = stderr
    this.json = json
  }

  /** A line of the result for people. */
  print(text: string): void {
    if (!this.json) this.stdout.write(`${text}\n`)
  }

  /** A line about what is going on; never part of the result. */
  note(text: string): void {
    this.stderr.write(`${text}\n`)
  }

  /** The result: `text` for people, or `value` as the one JSON document. @throws {Error} on a second result. */
  result(value: unknown, text: () => string): void {
    if (this.#hasResult) throw new Error('a command has one result')
    this.#hasResult = true
    if (this.json) this.stdout.write(`${JSON.stringify(value, replaceSpecial, 2)}\n`)
    else this.stdout.write(`${text()}\n`)
  }

  get hasResult(): boolean {
    return this.#hasResult
  }
}

/** JSON has neither infinities nor NaN nor typed arrays: the first become their names, the last plain arrays. */
function replaceSpecial(_key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as unknown as ArrayLike<number>)
  return value
}

/** `--global-batch-size` of `globalBatchSize`, as messages name an option. */
export function flagOf(option: string): string {
  return `--${kebabCase(option)}`
}
