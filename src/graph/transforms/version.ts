import { parameterPrefix } from '../graph.ts'
import type { Graph, Node } from '../graph.ts'

/** The input that holds one version of a parameter: `param:c1.weight@stashed`. */
export function versionedName(parameter: string, version: string): string {
  return `${parameterPrefix}${parameter}@${version}`
}

/**
 * Makes the version of the parameters that a segment reads explicit: the input `param:c1.weight` becomes `param:c1.weight@<version>`. Forward and backward
 * of one batch can then read the same stashed version while newer ones exist, or different versions on purpose; what a version is, and where it lies, is
 * up to whoever binds the inputs.
 * @param version - A name, such as `latest`, `stashed` or `predicted`
 * @see Narayanan et al., PipeDream: generalized pipeline parallelism for DNN training, SOSP 2019, section 3.3 (weight stashing)
 */
export function version(graph: Graph, name: string): Graph {
  const renamed = new Map(
    graph.inputs.flatMap((input) =>
      input.name.startsWith(parameterPrefix) ? [[input.name, versionedName(input.name.slice(parameterPrefix.length), name)] as const] : [],
    ),
  )
  const own = (id: string): string => renamed.get(id) ?? id
  const { layouts } = graph
  return {
    inputs: graph.inputs.map((input) => ({ ...input, name: own(input.name) })),
    nodes: graph.nodes.map((node): Node => ({ ...node, inputs: node.inputs.map(own) })),
    outputs: graph.outputs.map((output) => ({ ...output, value: own(output.value) })),
    ...(layouts === undefined ? {} : { layouts: Object.fromEntries(Object.entries(layouts).map(([id, layout]) => [own(id), layout])) }),
  }
}
