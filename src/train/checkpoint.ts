/**
 * Where a run goes on from. A checkpoint is `step-<n>[.rank-<r>].safetensors` files and `latest.json`, which names them and is renamed into place
 * last: whoever is killed in between leaves the previous checkpoint valid. Replicated state is written once; state that differs from rank to rank
 * (local replicas, store shards) once per rank.
 * @packageDocumentation
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CheckpointError } from '../errors.ts'
import { replaceFile } from '../records/replace-file.ts'
import { learningHash, type Program } from './program.ts'
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from './safetensors.ts'

/** Form of the files; another one is refused. */
const checkpointVersion = 1

/** What `latest.json` holds. */
export interface CheckpointManifest {
  readonly version: number
  readonly step: number
  readonly worldSize: number
  /** Fingerprint of what the Program learns (`learningHash`): a resumed run that learns otherwise is refused. */
  readonly programHash: string
  readonly perRank: boolean
  readonly files: readonly string[]
  /** Early stopping, best metric, chosen formulations: plain data. */
  readonly state: Readonly<Record<string, unknown>>
}

/** Name of the file of one rank at one step. */
function fileName(step: number, rank: number | undefined): string {
  return rank === undefined ? `step-${step}.safetensors` : `step-${step}.rank-${rank}.safetensors`
}

/** Writes the tensors of one rank (`rank` undefined: replicated state). Atomic. */
export function writeTensors(dir: string, step: number, rank: number | undefined, tensors: Readonly<Record<string, NamedTensor>>): void {
  replaceFile(join(dir, fileName(step, rank)), encodeSafetensors(tensors, { step: String(step) }))
}

/** Makes the files of `step` the current checkpoint and removes older ones. Call it after every rank has written. */
export function publishCheckpoint(dir: string, manifest: Omit<CheckpointManifest, 'version' | 'files'>): void {
  const ranks = manifest.perRank ? Array.from({ length: manifest.worldSize }, (_, rank) => rank) : [undefined]
  const files = ranks.map((rank) => fileName(manifest.step, rank))
  const full: CheckpointManifest = { ...manifest, version: checkpointVersion, files }
  replaceFile(join(dir, 'latest.json'), new TextEncoder().encode(`${JSON.stringify(full, undefined, 2)}\n`))
  for (const name of readdirSync(dir)) {
    if (/^step-\d+(\.rank-\d+)?\.safetensors$/.test(name) && !files.includes(name)) rmSync(join(dir, name), { force: true })
  }
}

/** Reads the manifest of the current checkpoint. @throws {CheckpointError} when there is none. */
export function readManifest(dir: string): CheckpointManifest {
  const path = join(dir, 'latest.json')
  if (!existsSync(path)) {
    throw new CheckpointError(`resume: no checkpoint in ${dir} — expected ${path} (give the folder of a run that was interrupted)`, {
      path,
    })
  }
  let manifest: CheckpointManifest
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new CheckpointError(`checkpoint: ${path} is not JSON (use an older checkpoint)`, { path }, cause)
  }
  if (manifest.version !== checkpointVersion) {
    throw new CheckpointError(
      `checkpoint: ${path} has form ${manifest.version}, expected ${checkpointVersion} (resume with the version that wrote it)`,
    )
  }
  return manifest
}

/** @throws {CheckpointError} when the run that goes on from `dir` learns by another Program than the one that wrote it. */
export function requireSameLearning(manifest: CheckpointManifest, program: Program, dir: string): void {
  const got = learningHash(program)
  if (manifest.programHash === got) return
  throw new CheckpointError(
    `resume: ${dir} was written by a Program that learns otherwise — expected ${manifest.programHash.slice(0, 12)}…, got ${got.slice(0, 12)}… (use the system and the options that wrote it)`,
    { expected: manifest.programHash, got },
  )
}

/** Reads one rank's tensors of the current checkpoint. */
export function readTensors(dir: string, manifest: CheckpointManifest, rank: number): Record<string, NamedTensor> {
  const name = manifest.files[manifest.perRank ? rank : 0]
  if (name === undefined) {
    throw new CheckpointError(
      `resume: the checkpoint in ${dir} is of ${manifest.worldSize} ranks — got rank ${rank} (use --workers ${manifest.worldSize})`,
    )
  }
  const path = join(dir, name)
  if (!existsSync(path)) throw new CheckpointError(`checkpoint: ${path} is missing, though latest.json names it`, { path })
  return decodeSafetensors(readFileSync(path), path).tensors
}
