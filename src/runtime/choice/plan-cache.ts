/**
 * Plans that were measured on this machine, in a file of the user's cache folder: measured once for each graph, processor, version of the
 * libraries and number of threads.
 * @packageDocumentation
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { cacheFolder } from '../../data/files/search-path.ts'
import type { Graph } from '../../graph/graph.ts'
import { replaceFile } from '../../records/replace-file.ts'
import { installedVersions } from '../../records/versions.ts'
import { isDriverPlan } from './driver-plan.ts'
import type { DriverPlan } from './driver-plan.ts'

/** Plans that a file keeps: the oldest go first. */
const capacity = 1000

const format = 'tutti-driver-plans'

/** Where the plans are kept. */
export function planFile(environment: NodeJS.ProcessEnv = process.env): string {
  return join(cacheFolder(environment), 'driver-plans.json')
}

/**
 * Names a measurement: the same for graphs that compute the same, whatever their layers and inputs are called.
 * @param graph - With a bound batch size
 * @param libraryVersion - Of oneDNN
 */
export function planKey(graph: Graph, intraOpThreads: number, libraryVersion: string): string {
  const numbers = new Map<string, number>()
  const numberOf = (id: string): number => numbers.get(id) ?? numbers.set(id, numbers.size).size - 1
  const inputs = graph.inputs.map(({ name, shape, dtype }) => [numberOf(name), shape, dtype])
  const nodes = graph.nodes.map(({ id, op, inputs: operands, attrs, shape }) => [op, operands.map(numberOf), attrs, shape, numberOf(id)])
  const outputs = graph.outputs.map(({ value }) => numberOf(value))
  const { onnxruntime } = installedVersions()
  const machine = [cpus()[0]?.model.trim(), onnxruntime, libraryVersion, intraOpThreads]
  return createHash('sha256')
    .update(JSON.stringify([machine, inputs, nodes, outputs]))
    .digest('hex')
    .slice(0, 32)
}

/** The plan of a measurement, if there is one. A file that cannot be read or is none of ours counts as empty. */
export function readPlan(key: string, file: string = planFile()): DriverPlan | undefined {
  const plan = readPlans(file)[key]
  return isDriverPlan(plan) ? plan : undefined
}

/** Adds a plan. A folder that cannot be written costs the next process a measurement, nothing else. */
export function writePlan(key: string, plan: DriverPlan, file: string = planFile()): void {
  const others = Object.entries(readPlans(file)).filter(([name, value]) => name !== key && isDriverPlan(value))
  const plans = Object.fromEntries([...others.slice(-(capacity - 1)), [key, plan]])
  try {
    replaceFile(file, new TextEncoder().encode(`${JSON.stringify({ format, version: 2, plans }, undefined, 1)}\n`))
  } catch {
    // Read-only homes exist.
  }
}

function readPlans(file: string): Readonly<Record<string, unknown>> {
  try {
    const content = JSON.parse(readFileSync(file, 'utf8')) as { format?: unknown; version?: unknown; plans?: unknown } | null
    if (content?.format !== format || content.version !== 2 || typeof content.plans !== 'object' || content.plans === null) return {}
    return content.plans as Record<string, unknown>
  } catch {
    return {}
  }
}
