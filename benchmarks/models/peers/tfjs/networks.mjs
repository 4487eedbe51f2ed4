/**
 * The networks of the benchmark in TensorFlow.js, in the architectures and sizes of ../networks.py, as far as its Wasm backend has the kernels
 * that their gradients need.
 */
import * as tf from '@tensorflow/tfjs'

const weights = (...shape) => tf.variable(tf.randomNormal(shape, 0, 0.05))
const zeros = (...shape) => tf.variable(tf.zeros(shape))
const ones = (...shape) => tf.variable(tf.ones(shape))
const ids = (below, ...shape) => tf.randomUniform(shape, 0, below, 'int32')
const floats = (...shape) => tf.randomUniform(shape)

const sgd = () => tf.train.momentum(0.01, 0.9)
const adam = () => tf.train.adam(1e-3)
const adagrad = () => tf.train.adagrad(0.1, 0.1)

const crossEntropy = (target, classes) => {
  const oneHot = tf.cast(tf.oneHot(target, classes), 'float32')
  return (logits) => tf.neg(tf.mean(tf.sum(tf.mul(oneHot, tf.logSoftmax(logits)), -1)))
}

const flipped = (x) => tf.transpose(x, { 2: [1, 0], 3: [0, 2, 1], 4: [0, 1, 3, 2] }[x.rank])

/** A product whose gradients transpose first: the backend's products of transposed matrices are more than ten times slower than plain ones. */
const product = tf.customGrad((a, b, save) => {
  save([a, b])
  return {
    value: tf.matMul(a, b),
    gradFunc: (dy, [x, y]) => [tf.matMul(dy, flipped(y)), tf.matMul(flipped(x), dy)],
  }
})

function dense(before, after, withBias = true) {
  const [w, b] = [weights(before, after), withBias ? zeros(after) : undefined]
  return (x) => {
    const rows = tf.reshape(x, [-1, before])
    const y = product(rows, w)
    return tf.reshape(b === undefined ? y : tf.add(y, b), [...x.shape.slice(0, -1), after])
  }
}

/** Rows of a table. The backend has no kernel for the gradient of `gather` (UnsortedSegmentSum); `scatterND` adds up the same. */
function embedding(rows, width) {
  const table = weights(rows, width)
  const lookUp = (flat) =>
    tf.customGrad((values) => ({
      value: tf.gather(values, flat),
      gradFunc: (dy) => tf.scatterND(tf.reshape(flat, [-1, 1]), dy, [rows, width]),
    }))(table)
  return (which) => tf.reshape(lookUp(tf.reshape(which, [-1])), [...which.shape, width])
}

function perceptron(...sizes) {
  const layers = sizes.slice(1).map((after, i) => dense(sizes[i], after))
  return (x) => layers.reduce((h, layer, i) => (i + 1 < layers.length ? tf.relu(layer(h)) : layer(h)), x)
}

const mlp = (batch, ...sizes) => {
  const [net, x, classes] = [perceptron(...sizes), floats(batch, sizes[0]), sizes.at(-1)]
  const loss = crossEntropy(ids(classes, batch), classes)
  return { optimizer: sgd(), loss: () => loss(net(x)) }
}

function layerNorm(width) {
  const [gamma, beta] = [ones(width), zeros(width)]
  return (x) => {
    const centred = tf.sub(x, tf.mean(x, -1, true))
    const deviation = tf.sqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-5))
    return tf.add(tf.mul(tf.div(centred, deviation), gamma), beta)
  }
}

const gelu = (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))

function block(width, heads, length) {
  const [norm1, norm2, query, project] = [layerNorm(width), layerNorm(width), dense(width, 3 * width), dense(width, width)]
  const [before, after] = [dense(width, 4 * width), dense(4 * width, width)]
  const future = tf.tensor2d(Array.from({ length }, (_, i) => Array.from({ length }, (__, j) => (j > i ? -1e9 : 0))))
  const each = width / heads
  return (x) => {
    const batch = x.shape[0]
    const parts = tf.split(query(norm1(x)), 3, -1)
    const [q, k, v] = parts.map((part) => tf.transpose(tf.reshape(part, [batch, length, heads, each]), [0, 2, 1, 3]))
    const scores = tf.softmax(tf.add(tf.mul(product(q, flipped(k)), 1 / Math.sqrt(each)), future))
    const mixed = tf.reshape(tf.transpose(product(scores, v), [0, 2, 1, 3]), [batch, length, width])
    const h = tf.add(x, project(mixed))
    return tf.add(h, after(gelu(before(norm2(h)))))
  }
}

const transformer = (batch, width, layers, heads, words = 65, length = 64) => {
  const [tokens, positions, out] = [embedding(words, width), weights(length, width), dense(width, words)]
  const blocks = Array.from({ length: layers }, () => block(width, heads, length))
  const norm = layerNorm(width)
  const x = ids(words, batch, length)
  const loss = crossEntropy(ids(words, batch * length), words)
  const net = () => out(norm(blocks.reduce((h, each) => each(h), tf.add(tokens(x), positions))))
  return { optimizer: adam(), loss: () => loss(tf.reshape(net(), [-1, words])) }
}

/** One layer over the steps of a sequence. */
function lstm(before, hidden) {
  const [input, recurrent] = [dense(before, 4 * hidden), dense(hidden, 4 * hidden, false)]
  return (steps) => {
    let [h, c] = [tf.zeros([steps[0].shape[0], hidden]), tf.zeros([steps[0].shape[0], hidden])]
    return steps.map((x) => {
      const [i, f, g, o] = tf.split(tf.add(input(x), recurrent(h)), 4, -1)
      c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)))
      h = tf.mul(tf.sigmoid(o), tf.tanh(c))
      return h
    })
  }
}

const lstmLm = (batch = 20, length = 35, words = 10_000, hidden = 200) => {
  const [table, first, second, out] = [embedding(words, hidden), lstm(hidden, hidden), lstm(hidden, hidden), dense(hidden, words)]
  const x = ids(words, batch, length)
  const loss = crossEntropy(ids(words, batch * length), words)
  return { optimizer: adam(), loss: () => loss(out(tf.reshape(tf.stack(second(first(tf.unstack(table(x), 1))), 1), [-1, hidden]))) }
}

function gru(before, hidden) {
  const [input, recurrent] = [dense(before, 3 * hidden), dense(hidden, 3 * hidden)]
  return (steps, state) => {
    let h = state ?? tf.zeros([steps[0].shape[0], hidden])
    return steps.map((x) => {
      const [[a, b, c], [p, q, r]] = [tf.split(input(x), 3, -1), tf.split(recurrent(h), 3, -1)]
      const [reset, update] = [tf.sigmoid(tf.add(a, p)), tf.sigmoid(tf.add(b, q))]
      const fresh = tf.tanh(tf.add(c, tf.mul(reset, r)))
      h = tf.add(fresh, tf.mul(update, tf.sub(h, fresh)))
      return h
    })
  }
}

const seq2seq = (batch = 64, length = 24, sourceWords = 4500, targetWords = 5500, hidden = 128) => {
  const [source, target, out] = [embedding(sourceWords, hidden), embedding(targetWords, hidden), dense(hidden, targetWords)]
  const [encode, decode] = [
    [gru(hidden, hidden), gru(hidden, hidden)],
    [gru(hidden, hidden), gru(hidden, hidden)],
  ]
  const combine = dense(2 * hidden, hidden)
  const [x, y] = [ids(sourceWords, batch, length), ids(sourceWords, batch, length)]
  const padding = tf.mul(tf.cast(tf.equal(x, 0), 'float32'), -1e9).expandDims(1)
  const loss = crossEntropy(ids(targetWords, batch * length), targetWords)
  const net = () => {
    const first = encode[0](tf.unstack(source(x), 1))
    const second = encode[1](first)
    const encoded = tf.stack(second, 1)
    const decoded = tf.stack(decode[1](decode[0](tf.unstack(target(y), 1), first.at(-1)), second.at(-1)), 1)
    const scores = tf.softmax(tf.add(product(decoded, flipped(encoded)), padding))
    return out(tf.tanh(combine(tf.concat([product(scores, encoded), decoded], -1))))
  }
  return { optimizer: adam(), loss: () => loss(tf.reshape(net(), [-1, targetWords])) }
}

const cnn3d = (batch = 16) => {
  const filters = [8, 16, 32, 64].map((after, i) => [weights(3, 3, 3, [1, 8, 16, 32][i], after), zeros(after)])
  const [head, x, target] = [perceptron(512, 128, 32, 1), floats(batch, 32, 32, 32, 1), floats(batch, 1)]
  const layer = (h, [w, b]) => tf.maxPool3d(tf.relu(tf.add(tf.conv3d(h, w, 1, 'same'), b)), 2, 2, 'valid')
  return { optimizer: adam(), loss: () => tf.mean(tf.square(tf.sub(head(tf.reshape(filters.reduce(layer, x), [batch, 512])), target))) }
}

/** The product with the adjacency matrix is a dense one: there is no sparse product. */
const gcn = (nodes = 2708, features = 1433, hidden = 16, classes = 7) => {
  const [a, b, x] = [dense(features, hidden, false), dense(hidden, classes, false), floats(nodes, features)]
  const adjacency = tf.tidy(() => tf.div(tf.cast(tf.less(floats(nodes, nodes), 5 / nodes), 'float32'), 5))
  const loss = crossEntropy(ids(classes, nodes), classes)
  const net = () => product(adjacency, b(tf.dropout(tf.relu(product(adjacency, a(tf.dropout(x, 0.5)))), 0.5)))
  return { optimizer: adam(), loss: () => loss(net()) }
}

const factorisation = (batch = 1024, users = 671, items = 9066, factors = 20) => {
  const [p, q, b, c] = [embedding(users, factors), embedding(items, factors), embedding(users, 1), embedding(items, 1)]
  const [u, i, target] = [ids(users, batch), ids(users, batch), floats(batch)]
  const net = () => tf.add(tf.add(tf.sum(tf.mul(p(u), q(i)), 1), 3.5), tf.add(tf.reshape(b(u), [-1]), tf.reshape(c(i), [-1])))
  return { optimizer: sgd(), loss: () => tf.mean(tf.square(tf.sub(net(), target))) }
}

const ctr = (batch = 256, fields = 20, rows = 100_000) => {
  const [e, w, m] = [embedding(rows, 8), embedding(rows, 1), perceptron(8 * fields, 128, 64, 1)]
  const [x, target] = [ids(rows, batch, fields), tf.cast(ids(2, batch), 'float32')]
  const net = () => tf.add(tf.reshape(m(tf.reshape(e(x), [batch, 8 * fields])), [-1]), tf.sum(tf.reshape(w(x), [batch, fields]), 1))
  const loss = (z) => tf.mean(tf.add(tf.sub(tf.relu(z), tf.mul(z, target)), tf.log1p(tf.exp(tf.neg(tf.abs(z))))))
  return { optimizer: adagrad(), loss: () => loss(net()) }
}

/** What each case makes: an optimiser and the loss that it lowers. */
export const cases = {
  'mlp-784-512-256-10': () => mlp(128, 784, 512, 256, 10),
  'mlp-4-64-64-2': () => mlp(32, 4, 64, 64, 2),
  'mlp-4x1024': () => mlp(256, 1024, 1024, 1024, 1024, 1024),
  'lstm-lm': () => lstmLm(),
  seq2seq: () => seq2seq(),
  'transformer-4x128': () => transformer(32, 128, 4, 4),
  'transformer-6x512': () => transformer(8, 512, 6, 8),
  'cnn-3d': () => cnn3d(),
  gcn: () => gcn(),
  'matrix-factorisation': () => factorisation(),
  'ctr-network': () => ctr(),
}
