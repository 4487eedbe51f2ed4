/**
 * The peers of the benchmark: PyTorch, and TensorFlow.js on its Wasm backend, which is installed into a folder of its own when it is first
 * needed.
 * @packageDocumentation
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BenchContext } from '../../src/compare/bench.ts'
import { PythonPeer } from '../../src/compare/python-peer.ts'

/** A running peer, or how to install it. */
export type Peer = PythonPeer | { readonly missing: string }

/** PyTorch with one case. */
export function startTorch(name: string, context: BenchContext, threads = 1): Promise<Peer> {
  const script = join(context.dir, 'peers', 'models.py')
  return PythonPeer.start({ script, args: [name], install: 'pip install torch==2.13.0 numpy', threads, signal: context.signal })
}

/** Cases that tfjs cannot train on its Wasm backend. */
const untrainable: readonly string[] = ['lenet-5', 'resnet-20', 'vgg-a-n', 'unet']

/** TensorFlow.js with one case, on one thread: its Wasm backend has no threads in Node. */
export async function startTfjs(name: string, context: BenchContext): Promise<Peer> {
  if (untrainable.includes(name)) return { missing: "tfjs Wasm cannot train it: there is no kernel 'Conv2DBackpropFilter'" }
  const folder = join(context.dir, 'peers', 'tfjs')
  const install = `npm install --no-save --no-package-lock --ignore-scripts --prefix ${folder}`
  if (!existsSync(join(folder, 'node_modules', '@tensorflow', 'tfjs-backend-wasm'))) {
    context.log(`models: installing tfjs into ${join(folder, 'node_modules')}`)
    try {
      await promisify(execFile)('npm', install.split(' ').slice(1), { cwd: folder, signal: context.signal })
    } catch (error) {
      context.signal.throwIfAborted()
      const reason = /npm error (.*)/.exec(String((error as { stderr?: string }).stderr))?.[1] ?? (error as Error).message.split('\n')[0]
      return { missing: `tfjs could not be installed (${reason}): ${install}` }
    }
  }
  return PythonPeer.start({
    script: join(folder, 'models.mjs'),
    args: [name],
    command: [process.execPath],
    install,
    signal: context.signal,
  })
}
