/**
 * Numbers as people read them: three significant digits, units that fit, no false precision. The same words in the sentences of the
 * verdicts, the tables and the tooltips of the charts. Numbers and units are joined by a no-break space.
 * @packageDocumentation
 */

const nbsp = '\u00a0'
const missing = '–'

/** Decimal number with `digits` significant digits and thousands separators; `–` when it is not finite. */
export function formatNumber(value: number | undefined, digits = 3): string {
  if (value === undefined || !Number.isFinite(value)) return missing
  if (value === 0) return '0'
  const magnitude = Math.abs(value)
  if (magnitude >= 1e9 || magnitude < 1e-3) return scientific(value, digits)
  if (magnitude >= 10 ** digits) return Math.round(value).toLocaleString('en-US')
  return Number(value.toPrecision(digits)).toLocaleString('en-US', { maximumSignificantDigits: digits })
}

/** The same with trailing zeros, for measured quantities: `1.00`, `26.0`, `252`. */
function measured(value: number, digits: number): string {
  const magnitude = Math.abs(value)
  if (magnitude === 0 || magnitude >= 10 ** digits || magnitude < 1e-3) return formatNumber(value, digits)
  return value.toPrecision(digits).includes('e') ? formatNumber(value, digits) : value.toPrecision(digits)
}

function scientific(value: number, digits: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential(digits - 1).split('e')
  return `${mantissa}${nbsp}×${nbsp}10${superscript(Number(exponent))}`
}

function superscript(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('')
  return exponent < 0 ? `⁻${digits}` : digits
}

/** Duration: `1.66 ms`, `12.3 s`, `4 min 5 s`, `2 h 3 min`. */
export function formatSeconds(seconds: number | undefined, digits = 3): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return missing
  const magnitude = Math.abs(seconds)
  if (magnitude === 0) return `0${nbsp}s`
  if (magnitude < 1e-6) return `${measured(seconds * 1e9, digits)}${nbsp}ns`
  if (magnitude < 1e-3) return `${measured(seconds * 1e6, digits)}${nbsp}µs`
  if (magnitude < 1) return `${measured(seconds * 1e3, digits)}${nbsp}ms`
  if (magnitude < 120) return `${measured(seconds, digits)}${nbsp}s`
  const whole = Math.round(seconds)
  if (whole < 7200) return `${Math.floor(whole / 60)}${nbsp}min${nbsp}${whole % 60}${nbsp}s`
  return `${Math.floor(whole / 3600)}${nbsp}h${nbsp}${Math.floor((whole % 3600) / 60)}${nbsp}min`
}

/** Size in binary units: `512 B`, `1.20 MiB`, `8.59 GiB`. */
export function formatBytes(bytes: number | undefined, digits = 3): string {
  if (bytes === undefined || !Number.isFinite(bytes)) return missing
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (Math.abs(value) >= 1023.5 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? formatNumber(Math.round(value * 10) / 10) : measured(value, digits)}${nbsp}${units[unit]}`
}

/** Throughput: `12,300 samples/s`, `22.0 M samples/s`. */
export function formatRate(samplesPerSecond: number | undefined): string {
  if (samplesPerSecond === undefined || !Number.isFinite(samplesPerSecond)) return missing
  if (samplesPerSecond >= 1e6) return `${measured(samplesPerSecond / 1e6, 3)}${nbsp}M${nbsp}samples/s`
  return `${formatNumber(roundTo(samplesPerSecond, 3))}${nbsp}samples/s`
}

/** Rounds to `digits` significant digits, so that `12,345.6` is shown as `12,300`. */
export function roundTo(value: number, digits: number): number {
  return Number(value.toPrecision(digits))
}

/** Share of a whole as per cent: `0.183` → `18 %`; one decimal below 10 %. */
export function formatShare(share: number | undefined): string {
  if (share === undefined || !Number.isFinite(share)) return missing
  const percent = share * 100
  const text = percent.toFixed(Math.abs(percent) < 9.95 ? 1 : 0)
  return `${Number(text) === 0 ? '0' : text.replace('-', '−')}${nbsp}%`
}

/** A factor: `1.84 ×`. */
export function formatFactor(factor: number | undefined): string {
  if (factor === undefined || !Number.isFinite(factor)) return missing
  return `${factor >= 100 ? formatNumber(roundTo(factor, 2)) : factor.toFixed(factor < 10 ? 2 : 1)}${nbsp}×`
}

const shares = new Set(['accuracy', 'precision', 'recall', 'f1', 'auc', 'miou', 'dice', 'explained'])

/** True for metrics in [0, 1] that are read as per cent. */
export function isShareMetric(name: string): boolean {
  return shares.has(name.toLowerCase().replace(/^(test|validation|train)/, ''))
}

/** Value of a metric: accuracies as `98.71 %`, everything else with four significant digits. */
export function formatMetric(name: string, value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return missing
  if (isShareMetric(name)) return `${(value * 100).toFixed(2)}${nbsp}%`
  if (Math.abs(value) < 1e-3) return formatNumber(value, 3)
  return Math.abs(value) >= 1e7 ? scientific(value, 4) : formatNumber(value, 4)
}

/** `relativeError` → `relative error`. */
export function metricTitle(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
}

/** Counts of rows: `60 k`, `1 M`, `527`; exact below 10,000 unless round. */
export function formatRows(rows: number): string {
  if (rows >= 1e6) return `${formatNumber(rows / 1e6)}${nbsp}M`
  if (rows >= 1e4 || (rows >= 1e3 && rows % 1000 === 0)) return `${formatNumber(rows / 1e3)}${nbsp}k`
  return String(rows)
}

/** `a`, `a and b`, `a, b and c`. */
export function joinWords(words: readonly string[], conjunction = 'and'): string {
  if (words.length < 2) return words[0] ?? ''
  return `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)}`
}

/** `1 worker`, `2 workers`. */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString('en-US')}${nbsp}${noun}${n === 1 ? '' : 's'}`
}

/** First letter in upper case: sentences that start with a paradigm. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
