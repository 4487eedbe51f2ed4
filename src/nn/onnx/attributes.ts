import { DataError } from '../../errors.ts'
import type { Static } from './operand.ts'
import type { FileNode } from './proto.ts'

/** Attributes of a node, by name and kind. */
export class Attributes {
  readonly #node: FileNode

  constructor(node: FileNode) {
    this.#node = node
  }

  /** A number, or what it is when the file does not say. */
  int(name: string, otherwise: number): number {
    const value = this.#node.attributes.get(name)
    return typeof value === 'number' ? value : otherwise
  }

  /** As {@link int}: integers and floats look alike once they are read. */
  float(name: string, otherwise: number): number {
    return this.int(name, otherwise)
  }

  string(name: string, otherwise: string): string {
    const value = this.#node.attributes.get(name)
    return typeof value === 'string' ? value : otherwise
  }

  ints(name: string): readonly number[] | undefined {
    const value = this.#node.attributes.get(name)
    return Array.isArray(value) ? (value as readonly number[]) : undefined
  }

  tensor(name: string): Static | undefined {
    const value = this.#node.attributes.get(name)
    return typeof value === 'object' && 'kind' in value ? value : undefined
  }

  /** @throws {DataError} DATA when an attribute has a value that is not read */
  require(name: string, otherwise: number | string, allowed: readonly (number | string)[]): void {
    const value = this.#node.attributes.get(name) ?? otherwise
    if (allowed.includes(value as number | string)) return
    throw new DataError(`import: ${nodeText(this.#node)} cannot be read — expected ${name} ${allowed.join(' or ')}, got ${String(value)}`)
  }
}

/** `Conv /features/0/Conv`: a node in messages. */
export function nodeText({ op, name, outputs }: FileNode): string {
  return `${op} ${name === '' ? outputs[0] : name}`
}
