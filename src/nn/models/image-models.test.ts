import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../errors.ts'
import { arrayConstructor } from '../../memory/dtype.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import { u } from '../../rng.ts'
import { compile } from '../../runtime/compile.ts'
import * as nn from '../index.ts'

describe('parameter counts', () => {
  test.each([
    ['AlexNet', nn.alexnet, 61_100_840],
    ['AlexNet in two groups', nn.alexnetGrouped, 60_965_224],
    ['VGG-A', () => nn.vgg('A'), 132_863_336],
    ['VGG-B', () => nn.vgg('B'), 133_047_848],
    ['VGG-16', () => nn.vgg('D'), 138_357_544],
    ['VGG-19', () => nn.vgg('E'), 143_667_240],
    ['ResNet-18', () => nn.resnet(18), 11_689_512],
    ['ResNet-34', () => nn.resnet(34), 21_797_672],
    ['ResNet-50', () => nn.resnet(50), 25_557_032],
    ['ResNet-101', () => nn.resnet(101), 44_549_160],
    ['ResNet-152', () => nn.resnet(152), 60_192_808],
    ['MobileNet v2', () => nn.mobileNetV2(), 3_504_872],
    ['Inception v4', () => nn.inceptionV4(), 42_679_816],
    ['ResNet-20 for small images', () => nn.resnetCifar(20), 269_722],
    ['ResNet-32 for small images', () => nn.resnetCifar(32), 464_154],
    ['ResNet-110 for small images', () => nn.resnetCifar(110), 1_727_962],
    ['WRN-28-10', () => nn.wideResnet(), 36_479_194],
    ['VGG-A narrow', nn.vggNarrow, 445_626],
    ['AlexNet narrow', nn.alexnetNarrow, 456_186],
    ['U-Net', nn.unet, 117_124],
    ['3-D CNN', nn.cnn3d, 142_737],
  ] as const)('%s', (_, make, count) => {
    expect(make().numParameters).toBe(count)
  })
})

describe('shapes', () => {
  test('a U-Net scores every pixel in a row of its own', () => {
    expect(nn.unet().graph.outputs[0]?.shape).toEqual(['batch*4096', 4])
  })

  test('blocks of an Inception net keep or halve the image', () => {
    const shapes = nn
      .inceptionV4()
      .graph.nodes.filter(({ op }) => op === 'concat')
      .map(({ shape }) => shape.slice(1).join('×'))
    expect([...new Set(shapes)]).toEqual(['160×73×73', '192×71×71', '384×35×35', '1024×17×17', '1536×8×8'])
  })

  test('depths and sizes that cannot be are refused', () => {
    expect(() => nn.resnetCifar(21)).toThrow('resnetCifar: the depth cannot be used — expected 6n + 2, got 21')
    expect(() => nn.wideResnet(27)).toThrow(ConfigError)
    expect(() => nn.resnet(51 as 50)).toThrow('resnet: there is no depth 51 — expected one of 18, 34, 50, 101, 152')
    expect(() => nn.unet({ size: 30 })).toThrow('expected a multiple of 4, got 30')
    expect(() => nn.resAttNet3d({ size: 24 })).toThrow('expected a multiple of 16, got 24')
    expect(() => nn.inceptionV4({ divisor: 3 })).toThrow(ConfigError)
  })
})

describe('training', () => {
  test.each([
    ['MobileNet v2', nn.mobileNetV2({ classes: 10, size: 32, width: 0.25, skippedStrides: 3 }), 'image'],
    ['Inception v4', nn.inceptionNarrow(), 'image'],
    ['WRN-10-1', nn.wideResnet(10, 1, { dropout: 0.3 }), 'image'],
    ['ResNet with projections', nn.resnetCifar(8, { shortcut: 'projection', widths: [4, 6, 8] }), 'image'],
    ['residual attention', nn.resAttNet3d({ size: 16, widths: [2, 3] }), 'volume'],
  ] as const)('a short step against the gradient lowers the loss by as much as it says: %s', async (_, model, input) => {
    const batchSize = 4
    await using executable = await compile(nn.trainingGraph(model, 'cross-entropy'), { batchSize })
    const arrays = Object.fromEntries(
      [...executable.inputs, ...executable.outputs].map(({ name, dtype, length }) => [name, new (arrayConstructor(dtype))(length)]),
    )
    const array = (name: string): NumericArray => arrays[name] as NumericArray
    nn.initialise(
      model.parameters,
      1,
      Object.fromEntries(model.parameters.map(({ name }) => [name, array(`param:${name}`) as Float32Array])),
    )
    array(input).forEach((__, i) => {
      array(input)[i] = u(3, 1, i, 0) - 0.5
    })
    array('target').set([0, 1, 1, 0])
    array('weight').fill(1)
    array('divisor').fill(batchSize)
    for (const { name } of nn.maskInputs(model)) array(name).fill(1)
    const run = executable.bind(arrays)
    await run.run()
    const first = array('loss')[0] as number
    const trained = model.parameters.filter(({ update }) => update === undefined).map(({ name }) => name)
    const square = trained.reduce((sum, name) => sum + Math.hypot(...array(`gradient:${name}`)) ** 2, 0)
    // So short that the loss is all but linear: it falls by one in a thousand.
    const rate = (0.001 * first) / square
    for (const name of trained) {
      const gradient = array(`gradient:${name}`).slice()
      array(`param:${name}`).set(Array.from(array(`param:${name}`), (value, i) => value - rate * (gradient[i] as number)))
    }
    await run.run()
    const fall = (first - (array('loss')[0] as number)) / (0.001 * first)
    expect(fall).toBeGreaterThan(0.8)
    expect(fall).toBeLessThan(1.2)
  })
})
