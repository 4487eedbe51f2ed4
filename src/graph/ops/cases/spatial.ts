import type { Shape } from '../../graph.ts'
import { use } from './case.ts'
import type { Case } from './case.ts'

const plain = { dilation: [1, 1], groups: 1 } as const
const unit = { ...plain, stride: [1, 1], padding: [0, 0] } as const
const strided = { ...plain, stride: [2, 2], padding: [1, 1] } as const
const uneven = { ...plain, stride: [2, 1], padding: [0, 2] } as const
const image: Shape = ['batch', 2, 6, 7]
const same = { ...plain, stride: [1, 1], padding: [2, 2] } as const

const grouped = { ...unit, groups: 2 } as const
const depthwise = { ...strided, groups: 4 } as const
const dilated = { stride: [2, 1], padding: [1, 2], dilation: [2, 3], groups: 1 } as const
const volume: Shape = ['batch', 2, 4, 5, 6]
const unit3 = { stride: [1, 1, 1], padding: [1, 0, 1], dilation: [1, 1, 1], groups: 1 } as const
const strided3 = { stride: [2, 1, 2], padding: [1, 1, 0], dilation: [1, 2, 1], groups: 2 } as const

/** Convolutions and pools over two and three spatial dims. */
export const spatialCases: readonly Case[] = [
  use('conv', unit, [image, [3, 2, 3, 2], [3]]),
  use('conv', strided, [image, [3, 2, 3, 3], [3]]),
  use('conv', uneven, [image, [1, 2, 2, 3]]),
  use('conv', same, [['batch', 1, 8, 8], [6, 1, 5, 5], [6]]),
  use('conv', unit, [['batch', 6, 8, 8], [16, 6, 5, 5], [16]]),
  use('convInputGradient', { ...unit, size: [6, 7] }, [
    [3, 2, 3, 2],
    ['batch', 3, 4, 6],
  ]),
  use('convInputGradient', { ...strided, size: [6, 7] }, [
    [3, 2, 3, 3],
    ['batch', 3, 3, 4],
  ]),
  use('convInputGradient', { ...uneven, size: [6, 7] }, [
    [1, 2, 2, 3],
    ['batch', 1, 3, 9],
  ]),
  use('convFilterGradient', { ...unit, kernel: [3, 2] }, [image, ['batch', 3, 4, 6]]),
  use('convFilterGradient', { ...strided, kernel: [3, 3] }, [image, ['batch', 3, 3, 4]]),
  use('convFilterGradient', { ...uneven, kernel: [2, 3] }, [image, ['batch', 1, 3, 9]]),
  use('avgPool', { stride: [1, 1], padding: [0, 0], kernel: [2, 3] }, [image]),
  use('avgPool', { kernel: [2, 2], stride: [2, 2], padding: [0, 0] }, [['batch', 2, 4, 6]]),
  use('avgPool', { kernel: [2, 2], stride: [2, 2], padding: [1, 1] }, [image]),
  use('avgPoolGradient', { stride: [1, 1], padding: [0, 0], kernel: [2, 3], size: [6, 7] }, [['batch', 2, 5, 5]]),
  use('avgPoolGradient', { kernel: [2, 2], stride: [2, 2], padding: [0, 0], size: [4, 6] }, [['batch', 2, 2, 3]]),
  use('maxPool', { kernel: [2, 2], stride: [2, 2], padding: [0, 0] }, [image]),
  use('maxPool', { kernel: [3, 3], stride: [2, 2], padding: [1, 1] }, [image]),
  use('maxPoolGradient', { kernel: [3, 3], stride: [2, 2], padding: [1, 1] }, [image, ['batch', 2, 3, 4]]),
  use('conv', grouped, [['batch', 4, 5, 6], [6, 2, 3, 2], [6]]),
  use('conv', depthwise, [['batch', 4, 6, 7], [4, 1, 3, 3], [4]]),
  use('conv', { ...unit, padding: [1, 1], groups: 4 }, [
    ['batch', 4, 5, 6],
    [8, 1, 3, 3],
  ]),
  use('conv', dilated, [image, [3, 2, 3, 2], [3]]),
  use('conv', unit3, [volume, [3, 2, 3, 2, 3], [3]]),
  use('conv', strided3, [volume, [4, 1, 2, 2, 3], [4]]),
  use('convInputGradient', { ...grouped, size: [5, 6] }, [
    [6, 2, 3, 2],
    ['batch', 6, 3, 5],
  ]),
  use('convInputGradient', { ...depthwise, size: [6, 7] }, [
    [4, 1, 3, 3],
    ['batch', 4, 3, 4],
  ]),
  use('convInputGradient', { ...dilated, size: [6, 7] }, [
    [3, 2, 3, 2],
    ['batch', 3, 2, 8],
  ]),
  use('convInputGradient', { ...unit3, size: [4, 5, 6] }, [
    [3, 2, 3, 2, 3],
    ['batch', 3, 4, 4, 6],
  ]),
  use('convInputGradient', { ...strided3, size: [4, 5, 6] }, [
    [4, 1, 2, 2, 3],
    ['batch', 4, 3, 5, 2],
  ]),
  use('convFilterGradient', { ...grouped, kernel: [3, 2] }, [
    ['batch', 4, 5, 6],
    ['batch', 6, 3, 5],
  ]),
  use('convFilterGradient', { ...depthwise, kernel: [3, 3] }, [
    ['batch', 4, 6, 7],
    ['batch', 4, 3, 4],
  ]),
  use('convFilterGradient', { ...dilated, kernel: [3, 2] }, [image, ['batch', 3, 2, 8]]),
  use('convFilterGradient', { ...unit3, kernel: [3, 2, 3] }, [volume, ['batch', 3, 4, 4, 6]]),
  use('convFilterGradient', { ...strided3, kernel: [2, 2, 3] }, [volume, ['batch', 4, 3, 5, 2]]),
  use('upsample', { factor: [2, 3] }, [image]),
  use('upsample', { factor: [2, 1, 2] }, [volume]),
  use('avgPool', { kernel: [2, 1, 3], stride: [1, 1, 2], padding: [1, 0, 1] }, [volume]),
  use('avgPool', { kernel: [2, 5, 3], stride: [2, 5, 3], padding: [0, 0, 0] }, [volume]),
  use('avgPoolGradient', { kernel: [2, 5, 3], stride: [2, 5, 3], padding: [0, 0, 0], size: [4, 5, 6] }, [['batch', 2, 2, 1, 2]]),
  use('maxPool', { kernel: [2, 3, 2], stride: [2, 2, 2], padding: [0, 1, 0] }, [volume]),
  use('maxPoolGradient', { kernel: [2, 3, 2], stride: [2, 2, 2], padding: [0, 1, 0] }, [volume, ['batch', 2, 2, 3, 3]]),
  // Long rows: few channels, many channels, many with a stride, dilated groups.
  use('convFilterGradient', { ...unit, padding: [1, 1], kernel: [3, 3] }, [
    ['batch', 2, 12, 13],
    ['batch', 3, 12, 13],
  ]),
  use('convFilterGradient', { ...unit, padding: [1, 0], kernel: [3, 3] }, [
    ['batch', 8, 12, 13],
    ['batch', 9, 12, 11],
  ]),
  use('convFilterGradient', { ...unit, kernel: [1, 1] }, [
    ['batch', 8, 12, 13],
    ['batch', 3, 12, 13],
  ]),
  use('convFilterGradient', { ...strided, kernel: [3, 3] }, [
    ['batch', 8, 24, 25],
    ['batch', 3, 12, 13],
  ]),
  use('convFilterGradient', { ...dilated, groups: 2, kernel: [3, 2] }, [
    ['batch', 4, 6, 7],
    ['batch', 6, 2, 8],
  ]),
  use('convInputGradient', { ...unit, padding: [1, 0], size: [24, 25] }, [
    [2, 3, 3, 2],
    ['batch', 2, 24, 24],
  ]),
  use('convInputGradient', { stride: [2, 2, 3], padding: [0, 1, 0], dilation: [1, 1, 2], groups: 1, size: [4, 5, 9] }, [
    [3, 2, 1, 2, 2],
    ['batch', 3, 2, 3, 3],
  ]),
  use('convFilterGradient', { ...strided3, groups: 1, kernel: [2, 2, 3] }, [
    ['batch', 2, 9, 10, 13],
    ['batch', 4, 5, 10, 6],
  ]),
  use('convFilterGradient', { stride: [2, 3], padding: [2, 1], dilation: [1, 2], groups: 1, kernel: [4, 3] }, [
    ['batch', 8, 31, 32],
    ['batch', 3, 16, 10],
  ]),
]
