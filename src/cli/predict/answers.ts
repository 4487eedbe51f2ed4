import { outputNamed } from '../../graph/graph.ts'
import type { Model } from '../../nn/model.ts'

/** What is said of one row: the most likely classes with their probabilities, or the values of the model. */
export type Answer =
  | { readonly classes: readonly { readonly class: number; readonly probability: number }[] }
  | { readonly values: readonly number[] }

/** How the scores of a row become probabilities. */
export type Scores = 'probabilities' | 'logarithms' | 'scores'

/** What the last operator of a model says about its scores. */
export function scoresOf({ graph }: Model): Scores {
  const id = outputNamed(graph, 'output').value
  const last = graph.nodes.find((node) => node.id === id)?.op
  if (last === 'softmax') return 'probabilities'
  return last === 'logSoftmax' ? 'logarithms' : 'scores'
}

/** The `top` most likely classes of a row of scores; of equal ones the first. */
export function mostLikely(row: ArrayLike<number>, scores: Scores, top: number): Answer {
  const probabilities = probabilitiesOf(row, scores)
  const order = probabilities.map((_, k) => k).sort((a, b) => (probabilities[b] as number) - (probabilities[a] as number) || a - b)
  return { classes: order.slice(0, top).map((k) => ({ class: k, probability: probabilities[k] as number })) }
}

function probabilitiesOf(row: ArrayLike<number>, scores: Scores): number[] {
  const all = Array.from(row)
  if (scores === 'probabilities') return all
  if (scores === 'logarithms') return all.map(Math.exp)
  const most = all.reduce((a, b) => Math.max(a, b), -Infinity)
  const powers = all.map((score) => Math.exp(score - most))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}

/** `7,0.998231`, or `0.25,-1.5`: one line of text. */
export function answerText(answer: Answer): string {
  if ('values' in answer) return answer.values.join(',')
  return answer.classes.map(({ class: k, probability }) => `${k},${Number(probability.toPrecision(6))}`).join(',')
}

/** Names of the columns of {@link answerText}. */
export function answerColumns(answer: Answer): string {
  if ('values' in answer) return answer.values.map((_, k) => (answer.values.length === 1 ? 'value' : `value${k}`)).join(',')
  return answer.classes.map((_, k) => (k === 0 ? 'class,probability' : `class${k + 1},probability${k + 1}`)).join(',')
}

/** The values of a row, each as the shortest decimal number (of six digits or more) that is this float32: nine digits tell all of them apart. */
export function valuesOf(row: Float32Array): Answer {
  return { values: Array.from(row, shortest) }
}

function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits))
    if (Math.fround(rounded) === value) return rounded
  }
  return Number(value.toPrecision(9))
}
