import type { BenchContext, BenchRow } from '../../src/compare/bench.ts'
import { interleave, timePerIteration } from '../../src/compare/bench.ts'
import { hasLibrary } from '../../src/runtime/drivers/onednn/library.ts'
import type { ModelCase } from './cases.ts'
import { title } from './drivers.ts'
import { arenaKinds, arenas } from './memory-rows.ts'
import { prepareStep } from './training-step.ts'

/** What cutting a model in eight costs: steps of the segments, one after the other, against those of the whole, on one thread. */
export async function cutRows(each: ModelCase, context: BenchContext): Promise<BenchRow[]> {
  const { boundaries } = each
  if (boundaries === undefined) return []
  context.log(`models: ${each.name}, cut in eight`)
  const rows: BenchRow[] = []
  const count = context.quick ? 1 : each.iterations
  for (const driver of hasLibrary() ? (['onednn', 'onnxruntime'] as const) : (['onnxruntime'] as const)) {
    await using whole = await prepareStep(each, { driver, intraOpThreads: 1 })
    for (const arena of arenaKinds) {
      await using pieces = await prepareStep(each, { driver, intraOpThreads: 1, boundaries, arena })
      const time = async (run: () => Promise<void>): Promise<number> => 1000 * (await timePerIteration(count, run))
      const result = await interleave(
        () => time(() => pieces.run()),
        () => time(() => whole.run()),
        context.rounds ?? (context.quick ? 3 : 9),
      )
      const name = `${each.name} cut in eight, ${arenas[arena]}, 1 thr, ${title(driver)}`
      rows.push({ case: name, unit: 'ms/step', peerName: 'uncut', ...result })
    }
  }
  return rows
}
