import { formatNumber } from '../../verdict/format-quantity.ts'

/** Unit for an axis of seconds, bytes or counts whose largest value is known: one unit per axis, named in its label. */
export interface AxisUnit {
  readonly name: string
  /** Multiplies a value to the unit. */
  readonly factor: number
}

/** Seconds, from microseconds to hours. */
export function timeUnit(max: number): AxisUnit {
  if (max < 1e-3) return { name: 'µs', factor: 1e6 }
  if (max < 1) return { name: 'ms', factor: 1e3 }
  if (max < 300) return { name: 's', factor: 1 }
  return max < 10_800 ? { name: 'min', factor: 1 / 60 } : { name: 'h', factor: 1 / 3600 }
}

/** Bytes in binary units. */
export function byteUnit(max: number): AxisUnit {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = max > 0 ? Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(max) / 10))) : 0
  return { name: units[power] as string, factor: 1024 ** -power }
}

/** Axis text of a number: `12,000`, `0.5`, `2.4G`, `3.10×10⁻⁷`. */
export function axisNumber(value: number): string {
  const magnitude = Math.abs(value)
  if (magnitude >= 1e9) return `${trim(value / 1e9)}G`
  if (magnitude >= 1e6) return `${trim(value / 1e6)}M`
  if (magnitude >= 1e5) return `${trim(value / 1e3)}k`
  if (magnitude >= 1e3) return value.toLocaleString('en-US')
  if (magnitude > 0 && magnitude < 1e-3) return formatNumber(value, 3).replaceAll('\u00a0', '')
  return trim(value)
}

function trim(value: number): string {
  return String(Number(value.toPrecision(4)))
}
