import { paradigms } from '../../verdict/case.ts'
import type { CellView } from '../view.ts'
import { color, dashOf } from './look.ts'
import type { PanelState } from './panel-state.ts'

/** Fills a panel's legend: a switch for every configuration and every way of running; pointing at one brings it forward. */
export function legend(root: HTMLElement, panel: HTMLElement, state: PanelState): void {
  const scroller = document.createElement('div')
  scroller.className = 'scroller'
  for (const paradigm of paradigms) {
    const cells = state.view.cells.filter((cell) => cell.paradigm === paradigm)
    if (cells.length === 0) continue
    const row = document.createElement('div')
    row.className = 'row'
    const all = cells.map((cell) => cell.index)
    row.append(toggle(paradigm, 'way', all, state, panel))
    const series = [...new Set(cells.map((cell) => cell.series))]
    if (cells.length > manyCells && series.length < cells.length) {
      for (const name of series)
        row.append(
          seriesGroup(
            cells.filter((cell) => cell.series === name),
            state,
            panel,
          ),
        )
    } else {
      for (const cell of cells) row.append(cellToggle(cell, state, panel))
    }
    scroller.append(row)
  }
  root.append(scroller)
  const everything = state.view.cells.map((cell) => cell.index)
  const last = document.createElement('div')
  last.className = 'row'
  last.append(
    action('show all', () => state.set(everything, true)),
    action('hide all', () => state.set(everything, false)),
  )
  if (everything.length > 2) root.append(last)
}

/** With more configurations of a way of running than this, they are listed by series with one small switch per worker count. */
const manyCells = 6

function seriesGroup(cells: readonly CellView[], state: PanelState, panel: HTMLElement): HTMLElement {
  const first = cells[0] as CellView
  const group = document.createElement('span')
  group.className = 'group'
  const whole = toggle(
    first.series,
    'series',
    cells.map((cell) => cell.index),
    state,
    panel,
  )
  whole.prepend(swatch(first, state))
  group.append(whole)
  for (const cell of cells) {
    const button = toggle(`×${cell.workers}`, 'cell', [cell.index], state, panel)
    button.title = cell.label
    group.append(button)
  }
  return group
}

function action(text: string, act: () => void): HTMLElement {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'all'
  button.textContent = text
  button.addEventListener('click', act)
  return button
}

function cellToggle(cell: CellView, state: PanelState, panel: HTMLElement): HTMLElement {
  const runs = cell.runs > 1 ? ` (${cell.runs} runs)` : ''
  const button = toggle(`${cell.label}${runs}`, 'cell', [cell.index], state, panel)
  button.prepend(swatch(cell, state))
  return button
}

function toggle(text: string, className: string, indices: readonly number[], state: PanelState, panel: HTMLElement): HTMLButtonElement {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = className
  const name = document.createElement('span')
  name.textContent = text
  button.append(name)
  button.title = text
  const update = () => button.setAttribute('aria-pressed', String(indices.some((index) => state.shows(index))))
  update()
  state.onChange(update)
  button.addEventListener('click', () => state.set(indices, !indices.some((index) => state.shows(index))))
  const focus = (on: boolean) => bringForward(panel, on ? indices : [])
  button.addEventListener('pointerenter', () => focus(true))
  button.addEventListener('pointerleave', () => focus(false))
  button.addEventListener('focus', () => focus(button.matches(':focus-visible')))
  button.addEventListener('blur', () => focus(false))
  return button
}

/** Dims everything in the panel that belongs to other configurations. */
function bringForward(panel: HTMLElement, indices: readonly number[]): void {
  panel.classList.toggle('focused', indices.length > 0)
  for (const element of panel.querySelectorAll('[data-cell]')) {
    element.classList.toggle('focus', indices.includes(Number(element.getAttribute('data-cell'))))
  }
}

const shapes = {
  solo: 'M12 2.5a3.5 3.5 0 1 0 .01 0z',
  parallel: 'M9 3h6v6H9z',
  distributed: 'M12 2l4 7H8z',
  hybrid: 'M12 1.5L16 6l-4 4.5L8 6z',
  virtual: 'M10.8 2h2.4v2.8H16v2.4h-2.8V10h-2.4V7.2H8V4.8h2.8z',
} as const

/** The line and symbol of a configuration, as charts draw them. */
function swatch(cell: CellView, state: PanelState): SVGSVGElement {
  const space = 'http://www.w3.org/2000/svg'
  const svg = document.createElementNS(space, 'svg')
  svg.setAttribute('width', '24')
  svg.setAttribute('height', '12')
  svg.setAttribute('aria-hidden', 'true')
  const line = document.createElementNS(space, 'path')
  line.setAttribute('d', 'M0 6h24')
  line.setAttribute('stroke', color(cell.index))
  line.setAttribute('stroke-width', '1.8')
  line.setAttribute('stroke-dasharray', dashOf(cell, state.view.cells))
  const shape = document.createElementNS(space, 'path')
  shape.setAttribute('d', shapes[cell.paradigm] ?? shapes.virtual)
  shape.setAttribute('fill', color(cell.index))
  svg.append(line, shape)
  return svg
}
