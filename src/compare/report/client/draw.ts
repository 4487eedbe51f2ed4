import * as Plot from '@observablehq/plot'

/** Options that every chart shares. */
export function draw(options: Plot.PlotOptions): SVGSVGElement | HTMLElement {
  return Plot.plot({
    ...options,
    style: { fontFamily: 'inherit', fontSize: '12px', background: 'none', color: 'var(--ink)' },
  }) as SVGSVGElement
}

/**
 * Marks drawn elements with the configuration that they stand for, so that the legend can bring one forward: Plot binds every path and
 * dot to the index (or, for lines, the indices) of its datum.
 */
export function tag<T>(
  root: Element,
  label: string,
  data: readonly T[],
  cellOf: (datum: T) => number,
  style?: (datum: T, element: Element) => void,
): void {
  for (const element of root.querySelectorAll(`.m-${label} > *`)) {
    const bound = (element as Element & { __data__?: number | number[] }).__data__
    const datum = data[Array.isArray(bound) ? (bound[0] ?? -1) : (bound ?? -1)]
    if (datum === undefined) continue
    element.setAttribute('data-cell', String(cellOf(datum)))
    style?.(datum, element)
  }
}

/** A sentence where there is nothing to draw. */
export function empty(text: string): HTMLElement {
  const element = document.createElement('p')
  element.className = 'empty'
  element.textContent = text
  return element
}

/** Key of the colours inside a chart. */
export function keys(entries: readonly { readonly name: string; readonly color: string }[]): HTMLElement {
  const list = document.createElement('div')
  list.className = 'keys'
  for (const { name, color } of entries) {
    const item = document.createElement('span')
    const swatch = document.createElement('i')
    swatch.style.setProperty('--c', color)
    item.append(swatch, name)
    list.append(item)
  }
  return list
}

/** Elements one below the other. */
export function stack(...parts: (Element | undefined)[]): HTMLElement {
  const box = document.createElement('div')
  for (const part of parts) if (part) box.append(part)
  return box
}

/** Grid lines and axis text of a quantitative axis, thin and quiet. */
export const quiet = { stroke: 'var(--line)', strokeOpacity: 1 } as const

/** Look of every tooltip. */
export const tipLook = { lineHeight: 1.35, textPadding: 8, stroke: 'var(--faint)', fontSize: 12, lineWidth: 40 } as const
