import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Check, installHint } from './check.ts'

/** The native parts: ONNX Runtime and our kernels, without which nothing runs; oneDNN and Open MPI, which are optional. */
export async function nativeChecks(): Promise<Check[]> {
  return [await onnxruntimeCheck(), kernelsCheck(), await onednnCheck(), await mpiCheck()]
}

async function onnxruntimeCheck(): Promise<Check> {
  const name = 'ONNX Runtime'
  const mend =
    'npm install --ignore-scripts onnxruntime-node (its install script downloads CUDA files; ONNXRUNTIME_NODE_INSTALL=skip prevents that)'
  try {
    const { env, listSupportedBackends } = await import('onnxruntime-node')
    const providers = listSupportedBackends().filter((backend) => backend.bundled || hasProvider(backend.name))
    return {
      name,
      status: 'ok',
      detail: `${env.versions.node}, execution providers: ${providers.map((backend) => backend.name).join(', ')}`,
    }
  } catch (error) {
    return { name, status: 'problem', detail: (error as Error).message.split('\n')[0]!, mend }
  }
}

/** CUDA and TensorRT lie beside the library as files of their own once they are installed. */
function hasProvider(name: string): boolean {
  const home = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))
  const folder = join(home, 'bin', 'napi-v6', process.platform, process.arch)
  return existsSync(folder) && readdirSync(folder).some((file) => file.includes(`providers_${name}`))
}

function kernelsCheck(): Check {
  const file = new URL('../../kernels/kernels.wasm', import.meta.url)
  if (existsSync(file)) return { name: 'kernels', status: 'ok', detail: 'WebAssembly SIMD' }
  return {
    name: 'kernels',
    status: 'problem',
    detail: 'kernels.wasm is missing',
    mend: 'npm run build in a clone; otherwise install the package again',
  }
}

async function onednnCheck(): Promise<Check> {
  const name = 'oneDNN'
  const { findLibrary } = await import('../../runtime/drivers/onednn/library.ts')
  const library = findLibrary()
  if (!('problem' in library)) {
    return {
      name,
      status: 'ok',
      detail: `${library.version} (${library.file}): convolutions and large products run on it where that is faster`,
    }
  }
  return {
    name,
    status: 'missing',
    detail: `everything runs on ONNX Runtime: ${library.problem}`,
    mend: installHint('libdnnl3 (or libdnnl2)', 'onednn'),
  }
}

async function mpiCheck(): Promise<Check> {
  const name = 'MPI'
  const { fabricRequirements } = await import('../../fabric/requirements.ts')
  const { mpirun, libmpi, mpiProblem } = await fabricRequirements()
  if (mpiProblem === undefined) return { name, status: 'ok', detail: `${libmpi}, ${mpirun}` }
  return {
    name,
    status: 'missing',
    detail: `--fabric mpi and hybrid cannot run: ${mpiProblem}`,
    mend: installHint('openmpi-bin libopenmpi3', 'open-mpi'),
  }
}
