import { describe, expect, it } from 'vitest'
import { defaultComparison } from '../../tests/compare/synthetic-comparison.ts'
import { syntheticRecord } from '../../tests/compare/synthetic-record.ts'
import { buildReport } from '../compare/report/write-report.ts'
import { formatComparison } from './compare-report.ts'

const paths = { reportPath: 'runs/x/report.html', resultsPath: 'runs/x/results.json' }
const virtual = syntheticRecord({ id: 'v', paradigm: 'virtual' })

describe('the final table of a comparison', () => {
  const skipped = ['lenet-5/mnist', 'kmeans/mnist'].map((workload) => ({ workload, paradigm: 'hybrid', reason: 'needs 4 cores' }) as const)
  const text = formatComparison(buildReport([...defaultComparison(), virtual], 'x').results, paths, skipped)
  const line = (start: RegExp): string => text.split('\n').find((one) => start.test(one)) ?? ''

  it('has both clocks, and marks simulated figures', () => {
    expect(line(/^workload/)).toMatch(/train clock\s+in all\s+rows\/s/)
    expect(line(/^lenet-5\/mnist .* solo /)).toMatch(/accuracy 98\.\d\d % +26\.\d s +2\d\.\d s/)
    expect(line(/ virtual ×4/)).toMatch(/ ~[\d.]+ s .* ~[\d,]+ /)
    expect(text).toContain('~ simulated')
  })

  it('labels what was lost on purpose, and says once what was left out', () => {
    expect(line(/parallel, threads ×2 .*lost/)).toContain('rank 1 lost on purpose at step 562; resumable')
    expect(text.match(/needs 4 cores/g)).toHaveLength(1)
    expect(line(/^left out/)).toContain('hybrid: needs 4 cores')
  })
})
