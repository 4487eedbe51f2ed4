/**
 * How the parameters of a store are cut into messages: what the served store sends between processes, and what the passive store books where
 * nothing need be sent.
 * @packageDocumentation
 */
import { blockRange } from '../fabric/communicator.ts'
import { tailLength } from './layout.ts'

/** Floats of a message before its shard: 16 of which the first two say what it is, then the tail (loss, stop, save). */
export const messageHead = 16 + tailLength
/** Where the tail begins. */
export const tailAt = 16

/** How many ranks hold a shard: rank s has shard s. */
export function ownerCount(shards: number, worldSize: number): number {
  return Math.min(shards, worldSize)
}

/** Bytes of the message between a rank and each owner, by owner, for `length` parameters. */
export function messageBytes(length: number, owners: number): number[] {
  return Array.from({ length: owners }, (_, owner) => {
    const { start, end } = blockRange(length, owners, owner)
    return Float32Array.BYTES_PER_ELEMENT * (messageHead + end - start)
  })
}
