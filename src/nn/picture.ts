import { formatShape } from '../graph/graph.ts'
import type { Model } from './model.ts'
import { layerRows } from './summary.ts'
import type { LayerRow } from './summary.ts'

/** Pixels: a box, the gaps between boxes, how far a line that passes boxes stands out. */
const box = { width: 190, height: 40, gapX: 40, gapY: 28, margin: 16, skip: 48 }

interface Placed {
  readonly row: LayerRow
  readonly x: number
  readonly y: number
}

/** The picture behind `Model.picture`: one box a layer, one line for each value that another layer reads. */
export function drawModel(model: Model): string {
  const rows = layerRows(model)
  const placed = place(rows)
  const byName = new Map(placed.map((each) => [each.row.name, each]))
  const width = Math.max(...placed.map(({ x }) => x)) + box.width + box.skip + box.margin
  const height = Math.max(...placed.map(({ y }) => y)) + box.height + box.margin
  const lines = placed.flatMap((to) => to.row.reads.flatMap((name) => line(byName.get(name), to)))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Layers of ${escaped(model.name)}">`,
    `<style>${style}</style>`,
    `<title>${escaped(model.name)}: ${model.numParameters.toLocaleString('en-US')} parameters</title>`,
    ...lines,
    ...placed.map(boxOf),
    '</svg>',
  ].join('\n')
}

const style = [
  'rect{fill:#eef2f7;stroke:#7c8ba1}rect.stores{fill:#dbe8fb;stroke:#4a7bc8}rect.input{fill:#e6f3e6;stroke:#5b9b5b}',
  'text{font:12px system-ui,sans-serif;fill:#1b2430}text.small{font-size:10px;fill:#51607a}path{fill:none;stroke:#7c8ba1}',
  '@media(prefers-color-scheme:dark){rect{fill:#222b38;stroke:#66758c}rect.stores{fill:#1d3354;stroke:#6b9be6}rect.input{fill:#1f3a24;stroke:#6fae73}',
  'text{fill:#e8edf4}text.small{fill:#a9b6c8}path{stroke:#8593a8}}',
].join('')

/** Every layer one level below the lowest that it reads; a level's boxes stand side by side, near what they read. */
function place(rows: readonly LayerRow[]): Placed[] {
  const levels: LayerRow[][] = []
  const levelOf = new Map<string, number>()
  for (const row of rows) {
    const level = row.reads.reduce((lowest, name) => Math.max(lowest, (levelOf.get(name) ?? -1) + 1), 0)
    levelOf.set(row.name, level)
    const own = levels[level] ?? []
    own.push(row)
    levels[level] = own
  }
  const widest = Math.max(...levels.map((level) => level.length))
  const columnOf = new Map<string, number>()
  return levels.flatMap((level, depth) => {
    const wish = (row: LayerRow): number =>
      row.reads.reduce((sum, name) => sum + (columnOf.get(name) ?? 0), 0) / Math.max(1, row.reads.length)
    const sorted = level.toSorted((a, b) => wish(a) - wish(b))
    return sorted.map((row, i) => {
      const column = i + (widest - level.length) / 2
      columnOf.set(row.name, column)
      return { row, x: box.margin + column * (box.width + box.gapX), y: box.margin + depth * (box.height + box.gapY) }
    })
  })
}

function boxOf({ row, x, y }: Placed): string {
  const kind = row.ops[0] === 'input' ? 'input' : row.parameters > 0 ? 'stores' : ''
  const stored = row.parameters > 0 ? ` · ${row.parameters.toLocaleString('en-US')}` : ''
  const op = row.ops.at(-1) === row.name ? '' : `${row.ops[0]} `
  return [
    `<g><title>${escaped(`${row.name}: ${row.ops.join(', ')}`)}</title>`,
    `<rect${kind === '' ? '' : ` class="${kind}"`} x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="6"/>`,
    `<text x="${x + 10}" y="${y + 17}">${escaped(shortened(row.name, 26))}</text>`,
    `<text class="small" x="${x + 10}" y="${y + 32}">${escaped(shortened(`${op}${formatShape(row.shape)}${stored}`, 34))}</text></g>`,
  ].join('')
}

/** From the lower edge of one box to the upper edge of the next; past boxes in between along their right side. */
function line(from: Placed | undefined, to: Placed): string[] {
  if (from === undefined) return []
  if (!passesBoxes(from, to)) {
    const [x1, y1, x2, y2] = [from.x + box.width / 2, from.y + box.height, to.x + box.width / 2, to.y]
    const middle = (y1 + y2) / 2
    return [`<path d="M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}"/>`]
  }
  const [x1, y1, x2, y2] = [from.x + box.width, from.y + (box.height * 3) / 4, to.x + box.width, to.y + box.height / 4]
  const out = Math.max(x1, x2) + box.skip
  return [`<path d="M${x1} ${y1}C${out} ${y1} ${out} ${y2} ${x2} ${y2}"/>`]
}

function passesBoxes(from: Placed, to: Placed): boolean {
  return to.y - from.y > box.height + box.gapY
}

function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
