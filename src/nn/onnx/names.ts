/** Names of a file as names of layers and parameters: letters, digits, - and _, in parts joined by dots. */
import type { FileNode } from './proto.ts'

/** True for a name that a program made up: it says nothing about the layer. */
export function isAutomatic(name: string): boolean {
  return (
    /^$|^onnx::|^_?val_\d|^\d|^[/_]|^(constant|const|scalar|tensor|clone|lift)(_|$|\d)|_output_\d+$/i.test(name) &&
    !/^\d+\..*[a-z]/i.test(name)
  )
}

/** `/features/0/Conv` → `features.0.Conv`; what cannot be in a name becomes `_`. */
export function usableName(name: string): string {
  const parts = name
    .replace(/:\d+$/, '')
    .split(/[/.:]+/)
    .map((part) => part.replaceAll(/[^\w-]/g, '_'))
    .filter((part) => part !== '')
  return parts.join('.')
}

/**
 * The path of a node: exporters write the modules that hold it, each with its own full path (`/layer1/layer1.0/conv1/Conv` is `layer1.0.conv1`), and
 * the operator last.
 * @param withOperator - Whether the last part stays
 */
export function pathOf({ name }: FileNode, withOperator: boolean): string {
  if (!name.startsWith('/')) return withOperator ? usableName(name.replace(/^node_/, '')) : ''
  const parts = name.split('/').filter((part) => part !== '')
  const kept = withOperator ? parts : parts.slice(0, -1)
  const path: string[] = []
  for (const part of kept) {
    const last = path.at(-1)
    if (last !== undefined && (part === last || part.startsWith(`${last}.`))) path.pop()
    path.push(part)
  }
  return usableName(path.join('.'))
}

/** What comes before the last part: the layer of `layer1.0.conv1.weight`. Empty where there is one part only. */
export function layerOfParameter(name: string): string {
  const usable = usableName(name)
  return usable.includes('.') ? usable.slice(0, usable.lastIndexOf('.')) : ''
}

/** A name that is not in `taken` yet: the name, or the name and a number. Adds it. */
export function uniqueName(name: string, taken: Set<string>): string {
  let free = name
  for (let n = 2; taken.has(free); n++) free = `${name}-${n}`
  taken.add(free)
  return free
}
