/**
 * Peak resident memory of some steps of one case in a fresh process, less what it was after the imports: prints one line of JSON.
 *
 *   node --import tsx memory-case.ts <case> <driver> <steps> [<arena>]      with an arena the model is cut at its boundaries
 * @packageDocumentation
 */
import type { DriverName } from '../../src/runtime/compile.ts'
import type { ArenaKind } from '../../src/runtime/ort.ts'
import { cases } from './cases.ts'
import { imagenetCases } from './imagenet-cases.ts'
import { forgetPeak, peakBytes } from './peak-memory.ts'
import { prepareStep } from './training-step.ts'

const [name, driver, steps, arena] = process.argv.slice(2) as [string, DriverName, string, ArenaKind | undefined]
const each = [...cases, ...imagenetCases].find((candidate) => candidate.name === name)
if (each === undefined) throw new Error(`memory: there is no case ${name}`)
const cutting = arena === undefined || each.boundaries === undefined ? {} : { boundaries: each.boundaries, arena }
forgetPeak()
const base = peakBytes()
const step = await prepareStep(each, { driver, intraOpThreads: 1, ...cutting })
for (let i = 0; i < Number(steps); i++) await step.run()
const peak = peakBytes()
process.stdout.write(`${JSON.stringify({ bytes: peak === undefined || base === undefined ? null : peak - base })}\n`)
await step[Symbol.asyncDispose]()
