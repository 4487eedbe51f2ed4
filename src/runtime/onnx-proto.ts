/**
 * The protobuf classes of ONNX. By `require`: for an `import` Node looks through all of the package's 330 kB for names, in every thread that starts.
 * @packageDocumentation
 */
import { createRequire } from 'node:module'
import type { onnx as messages } from 'onnx-proto'

export const { onnx } = createRequire(import.meta.url)('onnx-proto') as typeof import('onnx-proto')
export type { messages }
