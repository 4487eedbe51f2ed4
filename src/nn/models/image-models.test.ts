import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../errors.ts'
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
  ] as const)('%s', (_, make, count) => {
    expect(make().numParameters).toBe(count)
  })

  test.each([
    ['vgg-a-n', nn.vggNarrow],
    ['alexnet-n', nn.alexnetNarrow],
    ['inception-n', nn.inceptionNarrow],
    ['unet', nn.unet],
    ['cnn3d', nn.cnn3d],
    ['res-att-net', nn.resAttNet3d],
  ] as const)('%s', (_, make) => {
    console.log(_, make().numParameters, make().flopsPerSample)
  })
})
