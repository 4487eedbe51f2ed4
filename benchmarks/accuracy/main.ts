import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { data, runWorkload, workloads } from 'tutti'
import { type BenchContext, type BenchRow, PythonPeer, relativeSpread } from 'tutti/bench'
import { writeNpy } from './npy.ts'

interface Target {
  readonly target: number
  readonly better: 'higher' | 'lower'
}

const only = process.env['TUTTI_BENCH_WORKLOADS']?.split(',')
let seen: Readonly<Record<string, string>> = {}
export const versions = () => seen
export const threads = '2: bsp on two workers (one for batch norm and graphs); PyTorch with two threads'

/** Every deep workload with a target, by its recipe at size M: final score of each seed, beside the same training in PyTorch on the same arrays. */
export async function* run(context: BenchContext): AsyncGenerator<BenchRow> {
  const targets = JSON.parse(readFileSync(join(context.dir, 'targets.json'), 'utf8')) as Record<string, Target>
  for (const [id, target] of Object.entries(targets)) {
    if (only !== undefined && !only.includes(id)) continue
    yield await measure(id, target, context)
  }
}

async function measure(id: string, { target, better }: Target, context: BenchContext): Promise<BenchRow> {
  const workload = workloads[id]
  if (workload?.kind !== 'deep') throw new Error(`accuracy: ${id} is no workload of a network`)
  const epochs = context.quick ? 1 : workload.epochs
  const seeds = context.quick ? [1] : [1, 2, 3]
  const rows = await data.load(workload.data, workload.dataOptions)
  // Statistics of half a batch are others than those of the whole: networks with batch norm run on one worker, as in PyTorch.
  const normalises = workload.model(rows).graph.nodes.some(({ op }) => op === 'batchNorm')
  const workers = workload.recipe.globalBatchSize > 1 && !normalises ? 2 : 1
  const ours: number[] = []
  let metric = ''
  for (const seed of seeds) {
    const options = { system: workers > 1 ? 'bsp' : 'solo', fabric: 'threads', workers, seed, until: { epochs } } as const
    const { summary, config } = await runWorkload(id, options, { signal: context.signal }, rows)
    metric = config.metric.name
    ours.push(summary.finalMetric as number)
    context.log(
      `accuracy: ${id}, seed ${seed}: ${metric} ${ours.at(-1)?.toFixed(4)} in ${summary.trainSeconds.toFixed(0)} s (target ${target})`,
    )
  }
  const { theirs, missing } = await peerScores(id, epochs, seeds, rows, context)
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const reached = ours.filter((value) => (better === 'higher' ? value >= target : value <= target)).length
  const peer = theirs.length > 0 ? mean(theirs) : null
  const list = (values: readonly number[]) => values.map((value) => value.toFixed(4)).join(', ')
  return {
    case: `${id}, ${epochs} epochs, mean of ${seeds.length} seeds`,
    unit: metric,
    ours: mean(ours),
    peer,
    peerName: 'PyTorch',
    ratio: peer === null ? null : better === 'higher' ? mean(ours) / peer : peer / mean(ours),
    spread: ours.length > 2 ? relativeSpread(ours) : 0,
    note: `target ${target} reached by ${reached} of ${ours.length}: ${list(ours)}; PyTorch ${missing ?? list(theirs)}`,
  }
}

async function peerScores(id: string, epochs: number, seeds: readonly number[], rows: data.Dataset, context: BenchContext) {
  if (process.env['TUTTI_BENCH_PEERS'] === 'none') return { theirs: [], missing: 'not asked for' }
  const folder = mkdtempSync(join(tmpdir(), 'tutti-accuracy-'))
  const theirs: number[] = []
  try {
    writeArrays(folder, rows)
    const args = [id, folder, String(epochs)]
    const options = { script: join(context.dir, 'peers/accuracy.py'), args, install: 'pip install torch==2.13.0', threads: 2 }
    const peer = await PythonPeer.start({ ...options, signal: context.signal })
    if ('missing' in peer) return { theirs, missing: peer.missing }
    for (const seed of seeds) {
      theirs.push(Number((await peer.round(seed + 1)).metric))
      context.log(`accuracy: ${id}, PyTorch, seed ${seed}: ${theirs.at(-1)?.toFixed(4)}`)
    }
    seen = peer.versions
    await peer.close()
    return { theirs }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The rows as the model gets them: normalised. */
function writeArrays(folder: string, rows: data.Dataset): void {
  for (const [suffix, part] of [
    ['', rows],
    ['t', rows.test ?? rows],
  ] as const) {
    const { features, target, normalize } = part
    const { values } = features
    const own = values instanceof Int32Array ? values : Float32Array.from(values, (value) => value * normalize.scale + normalize.shift)
    writeNpy(join(folder, `x${suffix}.npy`), features.shape, own)
    const goal = target?.values ?? new Int32Array(0)
    writeNpy(join(folder, `y${suffix}.npy`), target?.shape ?? [0], goal instanceof Int32Array ? goal : Float32Array.from(goal))
  }
  if (rows.edges) writeNpy(join(folder, 'edges.npy'), rows.edges.shape, rows.edges.values)
}
