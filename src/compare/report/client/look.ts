import type { CellView } from '../view.ts'

/** Colour of a configuration: a custom property, so that switching the theme redraws nothing. */
export function color(cell: number): string {
  return `var(--cell-${cell})`
}

const symbols = { solo: 'circle', parallel: 'square', distributed: 'triangle', hybrid: 'diamond', virtual: 'cross' } as const

/** Symbol of a way of running: the second sign beside the hue. */
export function symbol(paradigm: CellView['paradigm']): 'circle' | 'square' | 'triangle' | 'diamond' | 'cross' {
  return symbols[paradigm] ?? 'cross'
}

const dashes = ['', '7 3', '2 3', '9 3 2 3', '4 2', '12 4', '1 5', '6 2 1 2 1 2']

/** Line pattern: series of a way of running in order of appearance. */
export function dashOf(cell: CellView, cells: readonly CellView[]): string {
  const series = [...new Set(cells.filter((other) => other.paradigm === cell.paradigm).map((other) => other.series))]
  return dashes[series.indexOf(cell.series) % dashes.length] ?? ''
}

/** Text cut to a width in pixels at the page's chart font. */
export function shorten(text: string, width: number): string {
  const limit = Math.max(6, Math.floor(width / 6.6))
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`
}
