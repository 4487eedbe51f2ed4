import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { data, nn, optim, train } from 'tutti'
import { type BenchContext, type BenchRow, relativeSpread } from 'tutti/bench'

const batchPerWorker = 64

/** LeNet-5 samples a second with one and two workers, batch per worker constant; beside it, two independent solo processes at once. */
export async function run(context: BenchContext): Promise<BenchRow[]> {
  const mnist = await data.load('mnist', { testRows: 200 })
  const steps = context.quick ? 40 : 300
  const rounds = context.rounds ?? 5
  const rate = async (fabric: 'threads' | 'mpi', workers: number): Promise<number> => {
    const result = await train({
      model: nn.lenet5(),
      data: mnist,
      optimizer: optim.sgd({ learningRate: 0.05, momentum: 0.9 }),
      system: workers === 1 ? 'solo' : 'bsp',
      fabric,
      workers,
      globalBatchSize: batchPerWorker * workers,
      until: { steps },
      evaluateEvery: steps,
      warmUpSteps: 5,
    })
    return result.samplesPerSecond
  }
  const cases: readonly (readonly [string, () => Promise<number>])[] = [
    ['2 workers on threads', () => rate('threads', 2)],
    ['2 workers on MPI', () => rate('mpi', 2)],
    ['2 independent solo processes', () => twoSolos(context.dir, steps)],
  ]
  const solo: number[] = []
  const measured = cases.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    context.log(`scaling: round ${round + 1} of ${rounds}`)
    solo.push(await rate('threads', 1))
    for (const [index, [, once_]] of cases.entries()) measured[index]?.push(await once_())
  }
  return cases.map(([name], index) => {
    const values = measured[index] as number[]
    const ratios = values.map((value, round) => value / (solo[round] as number))
    return {
      case: name,
      unit: 'samples/s',
      ours: median(values),
      peer: median(solo),
      peerName: 'one worker',
      ratio: median(ratios),
      spread: relativeSpread(ratios),
    }
  })
}

/** Sum of the rates of two processes that know nothing of each other: what this machine can give two workers. */
async function twoSolos(dir: string, steps: number): Promise<number> {
  const main = join(dir, '../../dist/cli/main.js')
  const args = [
    'run',
    '--system',
    'solo',
    '--workload',
    'lenet-5/mnist',
    '--global-batch-size',
    String(batchPerWorker),
    '--steps',
    String(steps),
  ]
  const folder = mkdtempSync(join(tmpdir(), 'tutti-scaling-'))
  const one = async (name: string): Promise<number> => {
    const child = spawn(process.execPath, [main, ...args, '--json', '--out', join(folder, name)], { stdio: ['ignore', 'pipe', 'ignore'] })
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
    })
    await once(child, 'close')
    return JSON.parse(text).samplesPerSecond
  }
  const [first, second] = await Promise.all([one('a'), one('b')])
  rmSync(folder, { recursive: true, force: true })
  return first + second
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] as number
}
