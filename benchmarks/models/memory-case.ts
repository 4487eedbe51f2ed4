/**
 * Peak resident memory of one case in a fresh process, less what it was after the imports: prints one line of JSON.
 * @packageDocumentation
 */
import { readFileSync } from 'node:fs'
import { cases } from './cases.ts'
import { prepareStep } from './training-step.ts'

/** High-water mark of this process; 0 where the system does not tell. */
function peakBytes(): number {
  const line = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return line === null ? 0 : Number(line[1]) * 1024
}

const [name, driver] = process.argv.slice(2)
const each = cases.find((candidate) => candidate.name === name)
if (each === undefined) throw new Error(`memory: there is no case ${name}`)
const base = peakBytes()
const step = await prepareStep(each, { driver: driver === 'onnxruntime' ? 'onnxruntime' : 'onednn', intraOpThreads: 1 })
for (let i = 0; i < 6; i++) await step.run()
process.stdout.write(`${JSON.stringify({ bytes: peakBytes() - base })}\n`)
await step[Symbol.asyncDispose]()
