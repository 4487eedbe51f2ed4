import { ConfigError } from '../../errors.ts'
import { u } from '../../rng.ts'
import type { Dataset } from '../dataset.ts'
import { faultText } from '../fault-text.ts'
import { makeDataset } from '../make-dataset.ts'
import { type Corpus, wholeOption } from './corpus.ts'
import { readBytes } from './read-content.ts'

const windowStream = 6
const defaultRows = 32_000

/**
 * A text by characters: ids in the order of their codes; a row is a window of W characters, its target the window one character on. Windows of
 * the first 90 % of the text are drawn and overlap: with B windows at a time, row t·B + q starts at ⌊(n − W)·u(seed, 6, t, q)⌋, in the order in
 * which training visits them. The last 10 % evaluate, window after window.
 * @see A. Karpathy, The unreasonable effectiveness of recurrent neural networks, 2015
 */
export const tinyShakespeare: Corpus = {
  options: ['rows', 'window', 'streams', 'seed'],
  async read(name, [path], options, context) {
    const width = wholeOption(name, 'window', options.window ?? 64, 1)
    const streams = wholeOption(name, 'streams', options.streams ?? 32, 1)
    const seed = wholeOption(name, 'seed', options.seed ?? 1, 0)
    const rows = wholeOption(name, 'rows', options.rows ?? defaultRows, 1)
    const bytes = await readBytes(path!, context)
    const codes = [...new Set(bytes)].sort((a, b) => a - b)
    const idOfCode = new Int32Array(256)
    for (const [id, code] of codes.entries()) idOfCode[code] = id
    const text = Int32Array.from(bytes, (code) => idOfCode[code]!)
    const end = Math.floor(0.9 * text.length)
    const characters = codes.map((code) => String.fromCharCode(code))
    const training = text.subarray(0, end)
    const evaluation = text.subarray(end)
    const following = Math.floor((evaluation.length - 1) / width)
    if (following === 0)
      throw new ConfigError(faultText(`${name}: the windows are too wide`, `below ${evaluation.length}`, width, 'change window'))
    const drawn = Int32Array.from({ length: rows }, (_, row) =>
      Math.floor((end - width) * u(seed, windowStream, Math.floor(row / streams), row % streams)),
    )
    return {
      train: windows(name, training, drawn, width, characters),
      test: windows(
        `${name} test`,
        evaluation,
        Int32Array.from({ length: following }, (_, row) => row * width),
        width,
        characters,
      ),
    }
  },
}

function windows(name: string, text: Int32Array, starts: Int32Array, width: number, characters: readonly string[]): Dataset {
  const features = new Int32Array(starts.length * width)
  const targets = new Int32Array(starts.length * width)
  for (const [row, start] of starts.entries()) {
    features.set(text.subarray(start, start + width), row * width)
    targets.set(text.subarray(start + 1, start + 1 + width), row * width)
  }
  const shape = [starts.length, width]
  return makeDataset({
    name,
    features: { dtype: 'int32', shape, values: features },
    target: { dtype: 'int32', shape, values: targets },
    classes: characters,
    vocabulary: characters,
    order: { kind: 'sequential' },
    normalize: { scale: 1, shift: 0 },
  })
}
