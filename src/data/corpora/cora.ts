import { excerpt, fileFault } from '../files/file-fault.ts'
import type { Dataset, Tensor } from '../dataset.ts'
import { makeDataset } from '../make-dataset.ts'
import type { ReadContext } from '../read-context.ts'
import type { Corpus } from './corpus.ts'
import { readBytes, readLines } from './read-content.ts'

const words = 1433
const topics = [
  'theory',
  'reinforcement learning',
  'genetic algorithms',
  'neural networks',
  'probabilistic methods',
  'case based',
  'rule learning',
] as const

interface Paper {
  readonly topic: number
  readonly words: readonly number[]
}

/**
 * Papers that cite each other, their words, and the topics of some: one row is the whole graph. Features `[1, nodes, words]`, 1 / (words of the
 * paper) for a word that it has; target `[1, nodes]` the topic, −1 for papers outside of the part (training 140, evaluation 1,000). `edges` are
 * pairs of papers, each once.
 * @see P. Sen et al., Collective classification in network data, AI Magazine 29(3), 2008; Z. Yang, W. Cohen, R. Salakhutdinov, Revisiting
 * semi-supervised learning with graph embeddings, ICML 2016 (the parts)
 */
export const cora: Corpus = {
  options: [],
  async read(name, [nodesPath, edgesPath, splitsPath], _options, context) {
    const papers = (await readLines(nodesPath!, context)).map((line, i) => parsePaper(nodesPath!, line, i))
    const edges = await readEdges(edgesPath!, papers.length, context)
    const splits = await readSplits(splitsPath!, context)
    const features = { dtype: 'float32', shape: [1, papers.length, words], values: wordShares(papers) } as const
    const part = (own: string, nodes: readonly number[]): Dataset => {
      const values = new Int32Array(papers.length).fill(-1)
      for (const node of nodes) values[node] = papers[node]!.topic
      const target = { dtype: 'int32', shape: [1, papers.length], values } as const
      return makeDataset({ name: own, features, target, classes: topics, edges, normalize: { scale: 1, shift: 0 } })
    }
    return { train: part(name, splits.train), test: part(`${name} test`, splits.test) }
  },
}

function parsePaper(path: string, line: string, i: number): Paper {
  const [node, topic, list] = line.split('\t')
  const own = (list ?? '').split(' ').filter(Boolean).map(Number)
  const isGood =
    Number(node) === i && Number(topic) < topics.length && own.every((word) => Number.isInteger(word) && word >= 0 && word < words)
  if (isGood) return { topic: Number(topic), words: own }
  const expected = `node ${i}, its class and its words below ${words}`
  const mend = 'fetch the file again'
  throw fileFault({ area: 'cora', path, line: i + 1, what: 'the line cannot be read', expected, got: excerpt(line), mend })
}

async function readEdges(path: string, nodes: number, context: ReadContext): Promise<Tensor<'int32'>> {
  const lines = await readLines(path, context)
  const values = Int32Array.from(lines.flatMap((line) => line.split('\t').map(Number)))
  if (values.length === 2 * lines.length && values.every((node) => node >= 0 && node < nodes)) {
    return { dtype: 'int32', shape: [lines.length, 2], values }
  }
  const expected = `two nodes below ${nodes} a line`
  const mend = 'fetch the file again'
  throw fileFault({ area: 'cora', path, what: 'the edges cannot be read', expected, got: 'others', mend })
}

async function readSplits(
  path: string,
  context: ReadContext,
): Promise<{ readonly train: readonly number[]; readonly test: readonly number[] }> {
  return JSON.parse(new TextDecoder().decode(await readBytes(path, context))) as { train: number[]; test: number[] }
}

function wordShares(papers: readonly Paper[]): Float32Array<ArrayBuffer> {
  const values = new Float32Array(papers.length * words)
  for (const [node, paper] of papers.entries()) for (const word of paper.words) values[node * words + word] = 1 / paper.words.length
  return values
}
