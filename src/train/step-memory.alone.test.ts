import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { kernelsFor } from '../kernels/load.ts'
import { Segment } from '../memory/segment.ts'
import { initialise } from '../nn/initialise.ts'
import * as nn from '../nn/index.ts'
import { optim } from '../nn/optim.ts'
import { compile } from '../runtime/compile.ts'
import { hasLibrary } from '../runtime/drivers/onednn/library.ts'
import { backwardOrder } from '../graph/transforms/bucket.ts'
import { layoutParameters, viewsByName } from './layout.ts'
import { applyRule, makeSlots } from './update-rule.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const model = nn.model('small', { image: [1, 12, 12] }, ({ image }) => {
  const h = nn.maxPool(nn.relu(nn.conv2d(image, 4, 3, { padding: 1 })), 2)
  return nn.dense(nn.relu(nn.dense(nn.flatten(h), 32)), 10)
})

test.each(hasLibrary() ? (['onnxruntime', 'onednn'] as const) : (['onnxruntime'] as const))(
  'a thousand steps retain nothing: %s',
  async (driver) => {
    const optimizer = optim.adam()
    const graph = nn.trainingGraph(model, 'cross-entropy')
    const layout = layoutParameters(model.parameters, [backwardOrder(graph)])
    const segment = Segment.create(8 * 4 * layout.length + 262_144, 'steps')
    const flat = () => segment.allocate('float32', layout.length, 'flat')
    const [parameters, gradients] = [flat(), flat()]
    const slots = makeSlots(optimizer, flat)
    initialise(model.parameters, 1, viewsByName(layout, parameters))
    await using executable = await compile(graph, { batchSize: 16, driver })
    const named = (prefix: string, array: Float32Array<ArrayBuffer>) =>
      Object.fromEntries(Object.entries(viewsByName(layout, array)).map(([name, view]) => [prefix + name, view]))
    const bound = executable.bind({
      image: segment.allocate('float32', 16 * 144, 'image').fill(0.5),
      target: segment.allocate('int32', 16, 'target'),
      weight: segment.allocate('float32', 16, 'weight').fill(1),
      divisor: segment.allocate('float32', 1, 'divisor').fill(16),
      loss: segment.allocate('float32', 1, 'loss'),
      ...named('param:', parameters),
      ...named('gradient:', gradients),
    })
    const kernels = kernelsFor(segment)
    let step = 0
    const steps = async (count: number): Promise<{ heap: number; external: number; resident: number }> => {
      for (let i = 0; i < count; i++) {
        await bound.run()
        applyRule(kernels, optimizer, layout, parameters, gradients, slots, 0.001, ++step, 0, layout.length)
      }
      collect()
      const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
      return { heap: heapUsed, external: arrayBuffers, resident: rss }
    }
    await steps(500)
    const before = await steps(100)
    const after = await steps(1000)
    // A buffer as small as the hidden layer, 2 KiB a step, would be two megabytes.
    expect(after.heap - before.heap).toBeLessThan(1_000_000)
    expect(after.external - before.external).toBeLessThan(100_000)
    expect(after.resident - before.resident).toBeLessThan(16_000_000)
    segment.close()
  },
)
