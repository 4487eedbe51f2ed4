import { formatFactor } from '../verdict/format-quantity.ts'
import { usefulEfficiency } from '../verdict/scalability.ts'
import { equalBand, singleRunBand, tieBand } from '../verdict/statistics.ts'
import { html } from './html.ts'

const percent = (part: number) => `${Math.round(part * 100)}\u00a0%`

const entries: readonly (readonly [name: string, meaning: string])[] = [
  ['Clocks', 'The train clock starts after launch, build, loading and warm-up, and leaves evaluation out. Total runs from the command.'],
  [
    'Ways of running',
    'Solo: one rank. Parallel: threads of one process, shared memory. Distributed: processes that exchange messages. ' +
      'Hybrid: threads inside processes. Virtual: all ranks in one thread, with simulated time; never judged for time. One rank communicates nothing.',
  ],
  ['Who stands for whom', 'In the verdicts each way of running is its fastest configuration of the system that most of them ran.'],
  [
    'Better, tie, unclear',
    `Ratios are taken between repeats with the same seed, with a 95\u00a0% bootstrap interval. Outside ${percent(equalBand - 1)} around 1 ` +
      `it is a difference, inside ${(1 / tieBand).toFixed(2)}–${tieBand.toFixed(2)} a tie, otherwise unclear. ` +
      `With one run each only a ratio beyond ${formatFactor(singleRunBand)} counts.`,
  ],
  [
    'Cost',
    'Seconds of the train clock for the whole budget where all end equally good; otherwise until the quality that all of them reached. ' +
      'The total, with start-up and evaluation, stands beside it.',
  ],
  [
    'Scalability',
    `E(p) = samples/s of p workers ÷ (p × solo’s). The larger p with E of at least ${usefulEfficiency} wins, then the throughput.`,
  ],
  ['Accuracy', 'Final metric; a tie within half a point or 1\u00a0%, or within the range of the repeats.'],
  [
    'Communication',
    'Bytes that leave a process, and the share of time spent communicating and waiting. Times are decided as for cost. ' +
      'Ahead in both, or in one while the other is open, wins; one each is a trade-off.',
  ],
  ['Memory', `Peak resident bytes of all processes on the busiest host; differences above ${percent(equalBand - 1)} count.`],
  [
    'A lost worker',
    'Goes on, ends with a checkpoint that resumes it, or ends with an error that names the rank; only from runs that lost one.',
  ],
]

/** How the figures were taken and what the verdicts go by. */
export const definitions = html`<section id="how">
<h2>How to read this</h2>
<dl class="defs">
${entries.map(([name, meaning]) => html`<div><dt>${name}</dt><dd>${meaning}</dd></div>`)}
</dl>
</section>`
