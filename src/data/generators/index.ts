import { blobs } from './blobs.ts'
import { ctr } from './ctr.ts'
import { density } from './density.ts'
import { friedman } from './friedman.ts'
import type { Generator } from './generator.ts'
import { led } from './led.ts'
import { linear } from './linear.ts'
import { ringnorm } from './ringnorm.ts'
import { shapes } from './shapes.ts'
import { spirals } from './spirals.ts'
import { twonorm } from './twonorm.ts'
import { waveform } from './waveform.ts'

/** Every generator, by its id. */
export const generators = {
  'waveform-21': waveform,
  twonorm,
  ringnorm,
  'led-24': led,
  spirals,
  blobs,
  linear,
  friedman,
  ctr,
  shapes,
  density,
} as const satisfies Readonly<Record<string, Generator>>

/** Id of a generator. */
export type GeneratorId = keyof typeof generators
