import { describe, expect, it } from 'vitest'
import { defaultComparison } from '../../../tests/compare/synthetic-comparison.ts'
import { syntheticRecord } from '../../../tests/compare/synthetic-record.ts'
import { summarizeRun } from '../summary.ts'
import { type Case, type ComparedParadigm, groupCases } from './case.ts'
import { judge } from './judge.ts'
import { whyMissing } from './missing.ts'
import { type JudgedCase, overallVerdicts } from './overall.ts'

/** A case whose cost verdict is given. */
function judged(workload: string, rows: number, outcome: 'wins' | 'tie', ...leaders: ComparedParadigm[]): JudgedCase {
  const of = groupCases([summarizeRun(syntheticRecord({ workload, rows }))])[0] as Case
  return { case: of, verdicts: [{ dimension: 'cost', outcome, leaders, sentences: [], values: {} }] }
}
const cost = (...entries: JudgedCase[]) => {
  const found = overallVerdicts(entries).find((entry) => entry.dimension === 'cost') as ReturnType<typeof overallVerdicts>[number]
  return { ...found, sentence: found.sentence.replaceAll('\u00a0', ' ') }
}

describe('overallVerdicts', () => {
  it('needs two thirds of the decided cases for a winner', () => {
    const win = cost(
      judged('a', 1, 'wins', 'parallel'),
      judged('b', 1, 'wins', 'parallel'),
      judged('c', 1, 'wins', 'solo'),
      judged('d', 1, 'tie', 'solo', 'parallel'),
    )
    expect(win).toMatchObject({
      outcome: 'wins',
      leader: 'parallel',
      decided: 3,
      cases: 4,
      sentence: 'Parallel is fastest on the train clock in a and b, solo in c; solo and parallel are level in d.',
    })
  })

  it('speaks of rows only where the same workloads ran at several sizes', () => {
    const byRows = cost(
      judged('a', 1000, 'wins', 'solo'),
      judged('b', 1000, 'wins', 'solo'),
      judged('a', 1_000_000, 'wins', 'parallel'),
      judged('b', 1_000_000, 'wins', 'parallel'),
    )
    expect(byRows).toMatchObject({ outcome: 'depends' })
    expect(byRows.sentence).toContain('For a and b it depends on the rows: solo below 1 M, parallel from there on.')
    const byWorkload = cost(
      judged('a', 1000, 'wins', 'solo'),
      judged('a', 9000, 'wins', 'solo'),
      judged('b', 1000, 'wins', 'hybrid'),
      judged('b', 9000, 'wins', 'hybrid'),
    )
    expect(byWorkload.sentence).toBe('Solo is fastest on the train clock in a and a, hybrid in b and b.')
    const apart = cost(judged('a', 1000, 'wins', 'solo'), judged('b', 60_000, 'wins', 'distributed'))
    expect(apart.sentence).toBe('Solo is fastest on the train clock in a, distributed in b.')
    const once = cost(judged('a', 1000, 'wins', 'solo'), judged('a', 60_000, 'wins', 'distributed'))
    expect(once.sentence).not.toContain('depends')
  })

  it('says in plain words what is open', () => {
    const open = cost(judged('a', 1, 'tie', 'parallel', 'distributed'), judged('b', 1, 'tie', 'solo', 'parallel'))
    expect(open).toMatchObject({
      outcome: 'undecided',
      sentence: 'Two or more are level in all 2 cases.',
    })
  })

  it('says so when no record speaks', () => {
    const found = overallVerdicts(groupCases([summarizeRun(syntheticRecord())]).map(judge))
    expect(found.find((entry) => entry.dimension === 'faults')).toMatchObject({
      outcome: 'not measured',
      sentence: 'No record speaks about it.',
    })
  })
})

describe('whyMissing', () => {
  const machine = syntheticRecord().config.machine
  const of = groupCases(defaultComparison().map(summarizeRun))[0] as Case

  it('names the reason that the records give', () => {
    const why = (...args: Parameters<typeof whyMissing>) => whyMissing(...args)?.replaceAll('\u00a0', ' ')
    expect(why('parallel', of, machine)).toBeUndefined()
    expect(why('hybrid', of, machine)).toBe('Hybrid is missing: it needs a core for each of 4 ranks, and the machine has 2.')
    expect(why('hybrid', of, { ...machine, cores: 8 })).toBe('Hybrid is missing: no such run is in the records.')
    const alone = groupCases([summarizeRun(syntheticRecord())])[0] as Case
    expect(why('hybrid', alone, { ...machine, versions: { node: '20' } })).toBe(
      'Hybrid is missing: the records name no MPI on this machine.',
    )
    expect(why('hybrid', of, machine, [{ paradigm: 'hybrid', reason: 'it was not asked for' }])).toBe(
      'Hybrid is missing: it was not asked for.',
    )
  })

  it('tells failed runs from absent ones', () => {
    const failed = groupCases([summarizeRun(syntheticRecord({ paradigm: 'distributed', status: 'failed' }))])[0] as Case
    expect(whyMissing('distributed', failed, machine)?.replaceAll('\u00a0', ' ')).toBe(
      'Distributed has no finished run: the only one failed.',
    )
  })
})
