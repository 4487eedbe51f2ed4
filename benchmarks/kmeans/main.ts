import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { data, KMeans, type Dataset } from 'tutti'
import { type BenchContext, type BenchRow, interleave, PythonPeer } from 'tutti/bench'

let seen: Readonly<Record<string, string>> = {}
export const versions = () => seen
export const threads = 'as each row says, on both sides'

/** Seconds per Lloyd iteration on MNIST: the same rows, the same initial centres, no early stop. */
export async function* run(context: BenchContext): AsyncGenerator<BenchRow> {
  const bytes = await data.load('mnist', { testRows: 0 })
  const floats = asFloats(bytes)
  const folder = mkdtempSync(join(tmpdir(), 'tutti-kmeans-'))
  const file = join(folder, 'rows.f32')
  writeFileSync(file, new Uint8Array(floats.features.values.buffer as ArrayBuffer))
  const iterations = context.quick ? 3 : 10
  const rounds = context.rounds ?? 7
  try {
    for (const numThreads of [1, 2]) {
      for (const k of [10, 100]) {
        const peer = await PythonPeer.start({
          script: join(context.dir, 'peers/kmeans.py'),
          args: [file, String(floats.rows), String(k), String(numThreads)],
          install: 'pip install scikit-learn==1.9.1',
          threads: numThreads,
          signal: context.signal,
        })
        const closing = 'missing' in peer ? undefined : peer
        const init = everyNth(floats, k)
        for (const [kind, x] of [
          ['float32 rows', floats],
          ['rows kept as bytes', bytes],
        ] as const) {
          context.log(`kmeans: k = ${k}, ${numThreads} thread${numThreads > 1 ? 's' : ''}, ${kind}`)
          let inertia = Number.NaN
          let theirs = Number.NaN
          const ours = async () => {
            const model = await new KMeans({ k, init, maxIterations: iterations, tol: 0 }).fit(x, {
              workers: numThreads,
              systemOptions: { untilMaxSteps: true },
            })
            inertia = model.inertia_
            // One pass more at the end, for labels and inertia of the last centres, as the peer makes it.
            return (model.run_.summary.trainSeconds / (iterations + 1)) * 1000
          }
          const other = async () => {
            const answer = await closing?.round(iterations)
            theirs = Number(answer?.inertia)
            return (answer?.seconds_per_iteration ?? Number.NaN) * 1000
          }
          const measured = await interleave(ours, closing && other, rounds)
          const off = Math.abs(inertia - theirs) / theirs
          const agrees = closing ? `inertia differs by ${off.toExponential(1)} (${off <= 1e-6 ? 'within' : 'NOT within'} 1e-6)` : ''
          yield {
            case: `k = ${k}, ${kind}, ${numThreads} thread${numThreads > 1 ? 's' : ''}`,
            unit: 'ms per iteration',
            ...measured,
            peerName: 'scikit-learn',
            note: 'missing' in peer ? peer.missing : agrees,
          }
        }
        seen = { ...seen, ...closing?.versions }
        await closing?.close()
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function asFloats(images: Dataset): Dataset {
  const { values } = images.features
  const floats = Float32Array.from(values as Uint8Array, (value) => Math.fround(value * Math.fround(1 / 255)))
  return data.fromArrays({ features: floats, shape: [images.rows, values.length / images.rows], name: 'mnist-float32' })
}

/** Centres from rows that are far apart in the file: a rule that both sides can follow. */
function everyNth({ rows, features }: Dataset, k: number): Float32Array {
  const width = features.values.length / rows
  const step = Math.floor(rows / k)
  const centers = new Float32Array(k * width)
  for (let c = 0; c < k; c++) centers.set(features.values.subarray(c * step * width, (c * step + 1) * width) as Float32Array, c * width)
  return centers
}
