import type { Tensor, TargetDType } from '../dataset.ts'
import { GrowableArray } from '../growable-array.ts'
import type { ReadOptions } from './reader.ts'

const autoClassLimit = 20
const distinctLimit = 1000

/** Labels as text become class numbers or values; decides between the two when it has seen them all. */
export class LabelColumn {
  readonly #task: 'auto' | 'classification' | 'regression'
  readonly #fixed: ReadonlyMap<string, number> | undefined
  readonly #classNames: readonly string[] | undefined
  #codes: Map<string, number> | undefined = new Map()
  #rowCodes: GrowableArray<'int32'> | undefined = new GrowableArray('int32')
  #values: GrowableArray<'float64'> | undefined = new GrowableArray('float64')
  #rows = 0

  constructor(options: Pick<ReadOptions, 'task' | 'classes'>) {
    this.#classNames = options.classes
    this.#task = options.classes ? 'classification' : (options.task ?? 'auto')
    if (options.classes) this.#fixed = new Map(options.classes.map((name, code) => [canonical(name), code]))
    if (this.#task === 'regression') {
      this.#codes = undefined
      this.#rowCodes = undefined
    }
    if (this.#fixed) this.#values = undefined
  }

  get rows(): number {
    return this.#rows
  }

  /** Takes the next label; returns `undefined`, or what was expected when it cannot be used. */
  add(text: string): string | undefined {
    const value = toNumber(text)
    if (this.#fixed) {
      const code = this.#fixed.get(canonical(text))
      if (code === undefined) return `one of the classes ${listed(this.#classNames!)}`
      this.#rowCodes!.push(code)
      this.#rows++
      return undefined
    }
    if (text === '' || /^[+-]?nan$/i.test(text)) return 'a label'
    if (!Number.isFinite(value)) {
      if (!this.#codes) return 'a finite number as label'
      this.#values = undefined
    }
    this.#values?.push(value)
    if (this.#codes) {
      const name = canonical(text)
      let code = this.#codes.get(name)
      if (code === undefined) {
        code = this.#codes.size
        this.#codes.set(name, code)
      }
      this.#rowCodes!.push(code)
      if (this.#task === 'auto' && this.#values && this.#codes.size > distinctLimit) {
        this.#codes = undefined
        this.#rowCodes = undefined
      }
    }
    this.#rows++
    return undefined
  }

  /** The target of all rows, and the class names when it is one of class numbers. */
  finish(dtype: 'float32' | 'float64'): { target: Tensor<TargetDType>; classes?: readonly string[] } {
    const shape = [this.#rows]
    if (this.#fixed) return { target: { dtype: 'int32', shape, values: this.#rowCodes!.toArray() }, classes: this.#classNames! }
    if (!this.#codes || (this.#task === 'auto' && this.#values && !this.#looksLikeClasses())) {
      const values = this.#values!.toArray()
      return { target: dtype === 'float64' ? { dtype, shape, values } : { dtype, shape, values: Float32Array.from(values) } }
    }
    const found = [...this.#codes.keys()]
    const classes = this.#values ? found.sort((a, b) => Number(a) - Number(b)) : found.sort()
    const rank = new Map(classes.map((name, position) => [name, position]))
    const position = Int32Array.from(this.#codes.keys(), (name) => rank.get(name)!)
    const values = this.#rowCodes!.toArray().map((code) => position[code]!)
    return { target: { dtype: 'int32', shape, values }, classes }
  }

  #looksLikeClasses(): boolean {
    return this.#codes!.size <= autoClassLimit && [...this.#codes!.keys()].every((name) => Number.isInteger(Number(name)))
  }
}

/** `+1`, `1.0` and `1` are one class. */
function canonical(text: string): string {
  const value = toNumber(text)
  return Number.isFinite(value) ? String(value === 0 ? 0 : value) : text
}

function toNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text)
}

function listed(names: readonly string[]): string {
  return names.length > 12 ? `${names.slice(0, 12).join(', ')}, …` : names.join(', ')
}
