import type { CaseView, CellView } from '../view.ts'

/** What charts of one case share: its data and which configurations are switched off. */
export class PanelState {
  readonly view: CaseView
  readonly #hidden = new Set<number>()
  readonly #listeners: (() => void)[] = []

  constructor(view: CaseView) {
    this.view = view
  }

  /** Configurations that are switched on. */
  get cells(): CellView[] {
    return this.view.cells.filter((cell) => !this.#hidden.has(cell.index))
  }

  /** Those of them with a finished run: means over a run that broke off say nothing. */
  get finished(): CellView[] {
    return this.cells.filter((cell) => cell.done > 0)
  }

  /** Those of them whose time is real: virtual ranks have a clock of their own. */
  get timed(): CellView[] {
    return this.finished.filter((cell) => cell.paradigm !== 'virtual')
  }

  shows(index: number): boolean {
    return !this.#hidden.has(index)
  }

  /** Switches configurations on or off and tells who listens. */
  set(indices: readonly number[], on: boolean): void {
    for (const index of indices) {
      if (on) this.#hidden.delete(index)
      else this.#hidden.add(index)
    }
    for (const listener of this.#listeners) listener()
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }
}
