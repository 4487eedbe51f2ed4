import { formatFactor } from '../verdict/format-quantity.ts'
import { usefulEfficiency } from '../verdict/scalability.ts'
import { equalBand, singleRunBand, tieBand } from '../verdict/statistics.ts'
import { html } from './html.ts'

/** How the figures were taken and what the verdicts go by. */
export const definitions = html`<section id="how">
<h2>How to read this</h2>
<dl class="defs">
<div><dt>Clocks</dt><dd>The train clock starts after launch, build, loading and warm-up, and leaves evaluation out. Total runs from the command.</dd></div>
<div><dt>Ways of running</dt><dd>Solo: one rank. Parallel: threads of one process, shared memory. Distributed: processes that exchange messages. Hybrid: threads inside processes. Virtual: all ranks in one thread, with simulated time; never judged for time.</dd></div>
<div><dt>Who stands for whom</dt><dd>In the verdicts each way of running is its fastest configuration of the system that most of them ran.</dd></div>
<div><dt>Better, tie, unclear</dt><dd>Ratios are taken between repeats with the same seed, with a 95&nbsp;% bootstrap interval. Outside ${Math.round((1 - 1 / equalBand) * 100)}&nbsp;% around 1 it is a difference, inside ${(1 / tieBand).toFixed(2)}–${tieBand.toFixed(2)} a tie, otherwise unclear. With one run each only a ratio beyond ${formatFactor(singleRunBand)} counts.</dd></div>
<div><dt>Cost</dt><dd>Train seconds for the whole budget where all end equally good; otherwise until the quality that all of them reached.</dd></div>
<div><dt>Scalability</dt><dd>E(p) = samples/s of p workers ÷ (p × solo’s). The larger p with E of at least ${usefulEfficiency} wins, then the throughput.</dd></div>
<div><dt>Accuracy</dt><dd>Final metric; a tie within half a point or 1&nbsp;%, or within the range of the repeats.</dd></div>
<div><dt>Communication</dt><dd>Bytes that leave a process, and the share of time spent communicating and waiting. Both better wins, one each is a trade-off.</dd></div>
<div><dt>Memory</dt><dd>Peak resident bytes of all processes on the busiest host; differences above ${Math.round((equalBand - 1) * 100)}&nbsp;% count.</dd></div>
<div><dt>A lost worker</dt><dd>Goes on, ends with a checkpoint that resumes it, or ends with an error that names the rank; only from runs that lost one.</dd></div>
</dl>
</section>`
