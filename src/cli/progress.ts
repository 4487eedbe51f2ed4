import cliProgress from 'cli-progress'
import { formatCount, formatSeconds } from './format.ts'
import type { Output } from './output.ts'

/** How far something has come. Every method may be called at any rate; what is shown is throttled. */
export interface Progress {
  /** `done` of `total` units; `text` is what else is worth seeing (loss, metric). A new total replaces the earlier one. */
  update(done: number, text?: string, total?: number): void
  /** Prints a line above the bar. */
  note(line: string): void
  /** Ends it; the last state stays visible. Idempotent. */
  close(): void
  [Symbol.dispose](): void
}

/** Options of {@link createProgress}. */
export interface ProgressOptions {
  readonly title: string
  /** Units to do; 0 while unknown. */
  readonly total: number
  /** What is counted: `steps`, `bytes`, `runs`. */
  readonly unit: string
  /** Clock in ms, for tests. Default `performance.now`. */
  readonly now?: () => number
}

/** A bar on a terminal; elsewhere a line every tenth of the way, at most one in {@link linePauseMs}; nothing at all beside `--json`. */
export function createProgress(output: Output, options: ProgressOptions): Progress {
  if (output.stderr.isTTY === true) return new BarProgress(output, options)
  return output.json ? silent : new LineProgress(output, options)
}

/** Shortest time between two lines where there is no terminal. */
export const linePauseMs = 2_000

class BarProgress implements Progress {
  readonly #bar: cliProgress.SingleBar
  readonly #output: Output
  #closed = false

  constructor(output: Output, { title, total, unit }: ProgressOptions) {
    this.#output = output
    this.#bar = new cliProgress.SingleBar({
      format: `${title} {bar} {percentage} % · {value}/{total} ${unit} · {eta_formatted} left · {text}`,
      stream: output.stderr as NodeJS.WritableStream,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 24,
      fps: 8,
      hideCursor: true,
      linewrap: false,
      clearOnComplete: false,
      gracefulExit: false,
      etaBuffer: 50,
      formatValue: (value, _options, type) => (type === 'value' || type === 'total' ? formatCount(value) : String(value)),
      formatTime: (seconds) => (Number.isFinite(seconds) ? formatSeconds(Number(seconds)) : '…'),
    })
    this.#bar.start(Math.max(1, total), 0, { text: '' })
  }

  update(done: number, text?: string, total?: number): void {
    if (this.#closed) return
    if (total !== undefined && total > 0) this.#bar.setTotal(total)
    this.#bar.update(done, text === undefined ? {} : { text })
  }

  note(line: string): void {
    // Erases the bar's line; the next tick draws it again below.
    if (!this.#closed) this.#output.stderr.write('\r\x1b[K')
    this.#output.note(line)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#bar.stop()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

class LineProgress implements Progress {
  readonly #output: Output
  readonly #options: ProgressOptions
  readonly #now: () => number
  readonly #startedMs: number
  #total: number
  #shownTenth = 0
  #shownMs: number

  constructor(output: Output, options: ProgressOptions) {
    this.#output = output
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#startedMs = this.#now()
    this.#shownMs = this.#startedMs
    this.#total = options.total
  }

  update(done: number, text = '', total = this.#total): void {
    this.#total = total
    const now = this.#now()
    const tenth = total > 0 ? Math.floor((10 * done) / total) : 0
    const isDue = total > 0 ? tenth > this.#shownTenth : now - this.#shownMs >= 5 * linePauseMs
    // The end is worth a line only where the beginning was: what takes a moment is not reported at all.
    const isEnd = total > 0 && done >= total && this.#shownMs > this.#startedMs
    if (!isDue || (now - this.#shownMs < linePauseMs && !isEnd)) return
    this.#shownTenth = tenth
    this.#shownMs = now
    const unit = this.#options.unit === '' ? '' : ` ${this.#options.unit}`
    const share =
      total > 0
        ? `${Math.floor((100 * done) / total)} % (${formatCount(done)} of ${formatCount(total)}${unit})`
        : `${formatCount(done)}${unit}`
    const tail = text === '' ? '' : `, ${text}`
    this.#output.note(`${this.#options.title}: ${share} after ${formatSeconds((now - this.#startedMs) / 1000)}${tail}`)
  }

  note(line: string): void {
    this.#output.note(line)
  }

  close(): void {}

  [Symbol.dispose](): void {}
}

const silent: Progress = { update() {}, note() {}, close() {}, [Symbol.dispose]() {} }
