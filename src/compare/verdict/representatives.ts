/**
 * Each paradigm enters the verdicts as one configuration: its fastest one of the system that most paradigms ran, so that the
 * spreading is compared and not the system; solo is the fastest solo of all. Where a paradigm never ran that system, its own fastest one stands for it.
 * @packageDocumentation
 */
import { type Case, type Cell, type ComparedParadigm, comparedParadigms, fastest } from './case.ts'

export type Representatives = Readonly<Partial<Record<ComparedParadigm, Cell>>>

/** The configuration that stands for each paradigm of a case; paradigms without a finished run are absent. */
export function representatives(of: Case): Representatives {
  const system = commonSystem(of)
  const chosen: Partial<Record<ComparedParadigm, Cell>> = {}
  for (const paradigm of comparedParadigms) {
    const cells = of.cells.filter((cell) => cell.paradigm === paradigm && cell.done.length > 0)
    const fitting = cells.filter((cell) => !cell.oversubscribed)
    const pool = fitting.length > 0 ? fitting : cells
    const same = paradigm === 'solo' ? pool : pool.filter((candidate) => candidate.system === system)
    const cell = fastest(same) ?? fastest(pool)
    if (cell) chosen[paradigm] = cell
  }
  return chosen
}

/** The spread system with finished runs in most paradigms; among equals the one whose fastest run is fastest. */
function commonSystem(of: Case): string | undefined {
  const spread = of.cells.filter((cell) => cell.done.length > 0 && cell.paradigm !== 'solo' && cell.paradigm !== 'virtual')
  const systems = [...new Set(spread.map((cell) => cell.system))].map((system) => {
    const cells = spread.filter((cell) => cell.system === system)
    return { system, reach: new Set(cells.map((cell) => cell.paradigm)).size, best: fastest(cells) as Cell }
  })
  const reach = Math.max(...systems.map((entry) => entry.reach))
  return fastest(systems.filter((entry) => entry.reach === reach).map((entry) => entry.best))?.system
}
