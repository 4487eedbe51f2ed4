/**
 * What happens when one worker is lost, from runs that lost one: they went on (3), a checkpoint resumes them by one command (2), they
 * ended with an error that says why (1). The worst outcome of a paradigm counts.
 * @packageDocumentation
 */
import type { RankLoss } from '../run-outcome.ts'
import type { RunRow } from '../summary.ts'
import { type Case, type ComparedParadigm, comparedParadigms } from './case.ts'
import { capital, joinWords } from './format-quantity.ts'
import { type Verdict, notMeasured } from './verdict.ts'

interface Loss {
  readonly paradigm: ComparedParadigm
  readonly run: RunRow
  readonly loss: RankLoss
}

/** The verdict on lost workers. */
export function faultsVerdict(of: Case): Verdict {
  const losses = comparedParadigms.flatMap((paradigm) => worstLoss(of, paradigm))
  if (losses.length === 0) return notMeasured('faults', 'no run in the records lost a worker')
  const best = Math.max(...losses.map((entry) => entry.loss.level))
  const leaders = losses.filter((entry) => entry.loss.level === best).map((entry) => entry.paradigm)
  const unknown = comparedParadigms.filter(
    (paradigm) => of.cells.some((cell) => cell.paradigm === paradigm) && !losses.some((entry) => entry.paradigm === paradigm),
  )
  const sentences = losses.map(sentence)
  if (unknown.length > 0) sentences.push(`Not measured for ${joinWords(unknown)}: no such run lost a worker.`)
  const outcome = losses.length === 1 ? 'no contest' : leaders.length === 1 ? 'wins' : 'tie'
  const values = Object.fromEntries(losses.map(({ paradigm, loss }) => [paradigm, { level: loss.level, step: loss.step }]))
  return { dimension: 'faults', outcome, leaders, sentences, values }
}

function worstLoss(of: Case, paradigm: ComparedParadigm): Loss[] {
  const found = of.losses.flatMap((run) => (run.paradigm === paradigm && run.loss ? [{ paradigm, run, loss: run.loss }] : []))
  const worst = found.reduce<Loss | undefined>((low, entry) => (low && low.loss.level <= entry.loss.level ? low : entry), undefined)
  return worst ? [worst] : []
}

function sentence({ paradigm, run, loss }: Loss): string {
  const who = loss.ranks.length === 0 ? 'a rank' : `${loss.ranks.length === 1 ? 'rank' : 'ranks'} ${joinWords(loss.ranks.map(String))}`
  const at = loss.plannedSteps > 0 ? `step ${loss.step} of ${loss.plannedSteps}` : `step ${loss.step}`
  const head = `${capital(paradigm)} (${run.system}) lost ${who}${loss.injected ? ' on purpose' : ''}`
  if (loss.level === 3) return `${head} and went on to its end, ${loss.step} steps.`
  const said = loss.message ? `: “${oneLine(loss.message)}”` : ''
  if (loss.level === 2) return `${head} and ended at ${at}${said}; its checkpoint ${loss.checkpoint} resumes it.`
  if (loss.level === 1) return `${head} and ended at ${at}${said}, without a checkpoint.`
  return `${head}; how it ended is not recorded.`
}

function oneLine(message: string): string {
  // The hint in brackets is what the sentence says next.
  const line = (message.split('\n', 1)[0] ?? '')
    .trim()
    .replace(/\.$/, '')
    .replace(/ \([^()]*\)$/, '')
  return line.length > 200 ? `${line.slice(0, 199)}…` : line
}
