import { describe, expect, test } from 'vitest'
import { BackendError } from '../../../errors.ts'
import { GraphBuilder } from '../../../graph/builder.ts'
import type { Graph } from '../../../graph/graph.ts'
import { compile } from '../../compile.ts'
import { findLibrary, hasLibrary, libraryVariable, requireLibrary } from './library.ts'

// The library is looked for once in each thread: this file is a process of its own.
process.env[libraryVariable] = 'off'

function convolution(): Graph {
  const builder = new GraphBuilder()
  const image = builder.input('x', ['batch', 3, 6, 6], 'float32')
  const attrs = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 }
  builder.output('y', builder.add('conv', [image, builder.input('w', [4, 3, 3, 3], 'float32')], attrs))
  return builder.build()
}

describe('without oneDNN', () => {
  test('says why in one line', () => {
    expect(findLibrary()).toEqual({ problem: 'the library is switched off — expected no TUTTI_ONEDNN=off in the environment' })
    expect(hasLibrary()).toBe(false)
    expect(requireLibrary).toThrow(BackendError)
  })

  test('its driver refuses, and auto is ONNX Runtime', async () => {
    await expect(compile(convolution(), { batchSize: 1, driver: 'onednn' })).rejects.toThrow('onednn: the library is switched off')
    await using executable = await compile(convolution(), { batchSize: 1, driver: 'auto' })
    expect(executable.plan).toEqual({ driver: 'onnxruntime' })
  })
})
