/**
 * Numbers for people: three significant digits and a unit. `--json` never uses these.
 * @packageDocumentation
 */

export { formatBytes } from '../memory/machine.ts'

/** `850 µs`, `12.3 ms`, `4.20 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return String(seconds)
  if (seconds < 0) return `-${formatSeconds(-seconds)}`
  if (seconds === 0) return '0 s'
  if (seconds < 1e-6) return `${formatNumber(seconds * 1e9)} ns`
  if (seconds < 1e-3) return `${formatNumber(seconds * 1e6)} µs`
  if (seconds < 1) return `${formatNumber(seconds * 1e3)} ms`
  if (seconds < 100) return `${formatNumber(seconds)} s`
  const whole = Math.round(seconds)
  const two = (value: number): string => String(value).padStart(2, '0')
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`
}

/** `60,000`, `1.20 M`: exact up to six digits. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return String(count)
  if (Math.abs(count) < 1e6) return Math.round(count).toLocaleString('en-US')
  return Math.abs(count) < 1e9 ? `${formatNumber(count / 1e6)} M` : `${formatNumber(count / 1e9)} G`
}

/** Three significant digits without an exponent where it can be read: `0.0124`, `98.8`, `1,520`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value)
  const size = Math.abs(value)
  if (size < 1e-4 || size >= 1e9) return value.toExponential(2)
  if (size >= 1000) return Math.round(value).toLocaleString('en-US')
  // 999.6 has three significant digits as 1000, never as 1.00e+3.
  const text = value.toPrecision(3)
  return text.includes('e') ? String(Number(text)) : text
}

/** `98.83 %` from 0.9883. */
export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(2)} %`
}

/** A metric by its name: accuracies as a percentage, everything else as a number. */
export function formatMetric(name: string, value: number): string {
  return /accuracy/i.test(name) ? formatPercent(value) : formatNumber(value)
}

/** A ratio around 1: two decimals, below 0.1 two significant digits. */
export function formatRatio(ratio: number): string {
  return ratio !== 0 && Math.abs(ratio) < 0.1 ? String(Number(ratio.toPrecision(2))) : ratio.toFixed(2)
}

/** Half the distance of the quartiles as a share of the median: `±4.2 %`, from 100 % on as a multiple, `±1.3x`. */
export function formatSpread(share: number): string {
  return share < 1 ? `±${(share * 100).toFixed(1)} %` : `±${share.toFixed(share < 10 ? 1 : 0)}x`
}
