import { avgPool, conv2d, dense, flatten, tanh } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import { init } from '../parameter.ts'

/**
 * LeNet-5 for 28 × 28 grey images and ten classes: 61,706 parameters, tanh, average pooling, Glorot initialisation.
 * Deviations from the paper: C3 sees all maps, the pools have no weights, the last layer is a plain dense one under softmax.
 * @see LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition, Proc. IEEE 86(11), 1998, section II-B
 */
export function lenet5(): Model<{ readonly image: readonly [1, 28, 28] }> {
  const glorot = { init: init.glorotUniform() }
  return model('lenet-5', { image: [1, 28, 28] }, ({ image }) => {
    let h = conv2d(image, 6, 5, { name: 'c1', padding: 2, ...glorot })
    h = avgPool(tanh(h), 2, { name: 's2' })
    h = conv2d(h, 16, 5, { name: 'c3', ...glorot })
    h = avgPool(tanh(h), 2, { name: 's4' })
    h = tanh(dense(flatten(h), 120, { name: 'c5', ...glorot }))
    h = tanh(dense(h, 84, { name: 'f6', ...glorot }))
    return dense(h, 10, { name: 'out', ...glorot })
  })
}
