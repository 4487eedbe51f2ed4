import { join } from 'node:path'
import { runWorkload } from 'tutti'
import { type BenchContext, type BenchRow, PythonPeer, relativeSpread } from 'tutti/bench'

let seen: Readonly<Record<string, string>> = {}
export const versions = () => seen

/** LeNet-5 on MNIST by its recipe, bsp on two workers: mean final accuracy over the seeds, beside the same training in PyTorch. */
export async function run(context: BenchContext): Promise<BenchRow[]> {
  const epochs = context.quick ? 1 : 10
  const seeds = context.quick ? [1] : [1, 2, 3]
  const ours: number[] = []
  for (const seed of seeds) {
    const { summary } = await runWorkload(
      'lenet-5/mnist',
      { system: 'bsp', fabric: 'threads', workers: 2, seed, until: { epochs } },
      { signal: context.signal },
    )
    ours.push((summary.finalMetric as number) * 100)
    context.log(`accuracy: seed ${seed}: ${ours.at(-1)?.toFixed(2)} % after ${epochs} epochs in ${summary.trainSeconds.toFixed(0)} s`)
  }
  const peer = await PythonPeer.start({
    script: join(context.dir, 'peers/accuracy.py'),
    args: [String(epochs)],
    install: 'pip install torch==2.13.0',
    threads: 2,
    signal: context.signal,
  })
  const theirs: number[] = []
  if (!('missing' in peer)) {
    for (const seed of seeds) {
      const answer = await peer.round(seed + 1)
      theirs.push(Number(answer.accuracy) * 100)
      context.log(`accuracy: PyTorch, seed ${seed}: ${theirs.at(-1)?.toFixed(2)} %`)
    }
    seen = peer.versions
    await peer.close()
  }
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const peerMean = theirs.length > 0 ? mean(theirs) : null
  const each = `ours ${ours.map((value) => value.toFixed(2)).join(', ')}; PyTorch ${theirs.map((value) => value.toFixed(2)).join(', ')}`
  return [
    {
      case: `LeNet-5 on MNIST, ${epochs} epochs, mean of ${seeds.length} seeds`,
      unit: '% right',
      ours: mean(ours),
      peer: peerMean,
      peerName: 'PyTorch',
      ratio: peerMean === null ? null : mean(ours) / peerMean,
      spread: ours.length > 2 ? relativeSpread(ours) : 0,
      note: 'missing' in peer ? peer.missing : each,
    },
  ]
}
