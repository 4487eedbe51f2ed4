import { describe, expect, it } from 'vitest'
import { syntheticRecord, type SyntheticOptions } from '../../../tests/compare/synthetic-record.ts'
import { summarizeRun } from '../summary.ts'
import { type Case, groupCases } from './case.ts'
import { timeToReach } from './cost.ts'
import { judge } from './judge.ts'
import type { Dimension, Verdict } from './verdict.ts'

const caseOf = (...options: SyntheticOptions[]): Case => groupCases(options.map((given) => summarizeRun(syntheticRecord(given))))[0] as Case
const verdict = (dimension: Dimension, ...options: SyntheticOptions[]): Verdict & { text: string } => {
  const found = judge(caseOf(...options)).verdicts.find((entry) => entry.dimension === dimension) as Verdict
  return { ...found, text: found.sentences.join(' ').replaceAll('\u00a0', ' ') }
}
/** The same configuration with three seeds. */
const thrice = (given: SyntheticOptions): SyntheticOptions[] => [1, 2, 3].map((seed) => ({ ...given, seed }))

describe('cost', () => {
  it('names the winner with its factor when repeats separate', () => {
    const cost = verdict(
      'cost',
      ...thrice({}),
      ...thrice({ paradigm: 'parallel' }),
      ...thrice({ paradigm: 'distributed', communicateSeconds: 0.004 }),
    )
    expect(cost).toMatchObject({ outcome: 'wins', leaders: ['parallel'] })
    expect(cost.text).toMatch(
      /^Parallel was fastest on the train clock, 1[34]\.\d s for 3 epochs: 1\.\d\d × as fast as distributed .* 1\.9\d × as fast as solo \(2\d\.\d s; 95 %/,
    )
    expect(cost.values.parallel?.speedup).toBeGreaterThan(1.8)
  })

  it('lets solo win where communication outweighs the work', () => {
    const cost = verdict('cost', { stepSeconds: 0.0005 }, { paradigm: 'parallel', stepSeconds: 0.0005, communicateSeconds: 0.002 })
    expect(cost).toMatchObject({ outcome: 'wins', leaders: ['solo'] })
  })

  it('leaves single runs undecided that are close, and repeats that agree as a tie', () => {
    const near = { paradigm: 'distributed', communicateSeconds: 0.0002 } as const
    const single = verdict('cost', {}, { paradigm: 'parallel' }, near)
    expect(single).toMatchObject({ outcome: 'unclear', leaders: ['parallel', 'distributed'] })
    expect(single.text).toContain('with one run each the spread is not known, and only a difference above 20 % counts')
    expect(single.text).toContain('Solo (26.9 s) is slower.')
    const repeated = verdict('cost', ...thrice({}), ...thrice({ paradigm: 'parallel' }), ...thrice(near))
    expect(repeated).toMatchObject({ outcome: 'tie', leaders: ['parallel', 'distributed'] })
  })

  it('compares the time to what all reached when they end unequally good', () => {
    const cost = verdict('cost', { finalMetric: 0.985, evaluations: 10 }, { paradigm: 'parallel', finalMetric: 0.95, evaluations: 10 })
    expect(cost.text).toContain('to accuracy 94.9')
    expect(cost.text).toContain('They did not end equally good')
    expect(cost.leaders).toEqual(['solo'])
  })

  it('goes by a target that the runs name, and says who missed it', () => {
    const options = { until: { accuracy: 0.97 } }
    const cost = verdict(
      'cost',
      { options, evaluations: 10 },
      { paradigm: 'parallel', options, evaluations: 10 },
      { paradigm: 'distributed', options, finalMetric: 0.95, evaluations: 10 },
    )
    expect(cost.text).toContain('to accuracy 97.00 %')
    expect(cost.text).toContain('Distributed never reached 97.00 %.')
    expect(cost.leaders).toEqual(['parallel'])
  })

  it('shows but does not judge ranks that share cores, and counts the runs that failed', () => {
    const shared = verdict('cost', {}, { paradigm: 'parallel' }, { paradigm: 'hybrid', stepSeconds: 0.001 })
    expect(shared.leaders).not.toContain('hybrid')
    expect(shared.text).toContain('Hybrid put 4 ranks on 2 cores, so its time is shown but not judged.')
    const partly = verdict('cost', {}, { paradigm: 'parallel' }, { paradigm: 'parallel', seed: 2, status: 'failed' })
    expect(partly.text).toContain('Parallel: 1 of 2 runs finished; the others are left out.')
  })

  it('says when the total clock has another winner', () => {
    const cost = verdict(
      'cost',
      { stepSeconds: 0.003 },
      { paradigm: 'distributed', stepSeconds: 0.003, startupSeconds: 30, communicateSeconds: 0 },
    )
    expect(cost.leaders).toEqual(['distributed'])
    expect(cost.text).toContain('so solo is first there')
    expect(cost.ahead).toEqual({ train: 'distributed', total: 'solo' })
  })

  it('says where start-up outweighs the training', () => {
    const small = { rows: 1280, epochs: 1, stepSeconds: 0.004 } as const
    const cost = verdict('cost', small, { ...small, paradigm: 'parallel', startupSeconds: 7 })
    expect(cost.text).toMatch(/Start-up outweighs the training: solo .*; parallel [\d.]+ ms of training, 7\.8\d s in all\./)
    expect(verdict('cost', {}, { paradigm: 'parallel' }).text).not.toContain('Start-up')
  })

  it('does not compare where there is nothing to compare', () => {
    expect(verdict('cost', {})).toMatchObject({ outcome: 'no contest', leaders: ['solo'] })
    expect(verdict('cost', { status: 'failed' })).toMatchObject({ outcome: 'not measured', leaders: [] })
  })

  it('interpolates the crossing of a target', () => {
    const curve = [0, 1, 2].map((i) => ({ time: 10 * (i + 1), epoch: i, step: i, metric: 0.9 + 0.04 * i }))
    expect(timeToReach({ curve, better: 'higher' }, 0.96)).toBeCloseTo(25, 9)
    expect(timeToReach({ curve, better: 'higher' }, 0.5)).toBe(10)
    expect(timeToReach({ curve, better: 'higher' }, 0.99)).toBeUndefined()
    expect(timeToReach({ curve: curve.map((point) => ({ ...point, metric: -point.metric })), better: 'lower' }, -0.96)).toBeCloseTo(25, 9)
  })
})

describe('scalability', () => {
  const at = (paradigm: 'parallel' | 'distributed', workers: number, communicateSeconds: number): SyntheticOptions => ({
    paradigm,
    cores: 8,
    communicateSeconds,
    ...(paradigm === 'parallel' ? { threadsPerProcess: workers } : { processes: workers }),
  })

  it('prefers the larger count that keeps half of every worker', () => {
    const scale = verdict(
      'scalability',
      { cores: 8 },
      at('parallel', 2, 0.0001),
      at('parallel', 8, 0.0001),
      at('distributed', 2, 0.001),
      at('distributed', 8, 0.02),
    )
    expect(scale).toMatchObject({ outcome: 'wins', leaders: ['parallel'] })
    expect(scale.text).toContain('8 workers at half their worth or more')
    expect(scale.values).toMatchObject({ parallel: { usefulWorkers: 8 }, distributed: { usefulWorkers: 2 } })
  })

  it('goes by throughput at equal counts', () => {
    const scale = verdict('scalability', { cores: 8 }, at('parallel', 4, 0.0001), at('distributed', 4, 0.002))
    expect(scale).toMatchObject({ outcome: 'wins', leaders: ['parallel'] })
    expect(scale.text).toContain('makes most of 4 workers')
  })

  it('advises one worker where no count pays, and knows what it does not know', () => {
    expect(verdict('scalability', { cores: 8 }, at('parallel', 4, 0.05))).toMatchObject({ outcome: 'wins', leaders: ['solo'] })
    expect(verdict('scalability', {})).toMatchObject({
      outcome: 'not measured',
      sentences: ['Not measured: no finished run used more than one worker.'],
    })
    expect(verdict('scalability', { paradigm: 'parallel' }).text).toContain('no run with one worker says what one worker is worth')
    expect(verdict('scalability', {}, { paradigm: 'hybrid' }).text).toContain('more ranks than cores')
    expect(verdict('scalability', {}, { paradigm: 'parallel' })).toMatchObject({ outcome: 'no contest', leaders: ['parallel'] })
  })
})

describe('accuracy', () => {
  it('ties within half a point and separates beyond it', () => {
    expect(verdict('accuracy', { finalMetric: 0.985 }, { paradigm: 'parallel', finalMetric: 0.982 })).toMatchObject({
      outcome: 'tie',
      leaders: ['solo', 'parallel'],
    })
    const apart = verdict('accuracy', { finalMetric: 0.985 }, { paradigm: 'parallel', finalMetric: 0.97 })
    expect(apart).toMatchObject({ outcome: 'wins', leaders: ['solo'] })
    expect(apart.text).toContain('parallel 96.99 % is worse by more than half a point')
  })

  it('widens the tie to the range of the repeats', () => {
    const scattered = [0.95, 0.985, 0.99].map((finalMetric, i) => ({ finalMetric, seed: i + 1 }))
    const found = verdict('accuracy', ...scattered, { paradigm: 'parallel', finalMetric: 0.965 })
    expect(found.outcome).toBe('tie')
    expect(found.text).toContain('the range of the repeats')
  })

  it('takes lower as better where the metric says so, and exact errors as equal', () => {
    const inertia = { metric: { name: 'inertia', better: 'lower' } } as const
    expect(verdict('accuracy', { ...inertia, finalMetric: 100 }, { ...inertia, paradigm: 'parallel', finalMetric: 90 }).leaders).toEqual([
      'parallel',
    ])
    const exact = { metric: { name: 'relativeError', better: 'lower' }, evaluations: 1 } as const
    expect(verdict('accuracy', { ...exact, finalMetric: 1e-7 }, { ...exact, paradigm: 'parallel', finalMetric: 4e-7 }).outcome).toBe('tie')
    expect(verdict('accuracy', { ...exact, finalMetric: 1e-7 }, { ...exact, paradigm: 'parallel', finalMetric: 4e-2 }).leaders).toEqual([
      'solo',
    ])
  })
})

describe('communication', () => {
  it('gives the win to who sends less between processes and loses less time', () => {
    const found = verdict('communication', {}, { paradigm: 'parallel' }, { paradigm: 'distributed', communicateSeconds: 0.002 })
    expect(found).toMatchObject({ outcome: 'wins', leaders: ['parallel'] })
    expect(found.text).toContain('distributed sends 482 KiB a step between processes in 2 rounds per worker')
    expect(found.values.parallel?.bytesBetweenProcesses).toBe(0)
  })

  it('goes by bytes alone where single runs do not separate the times, and by neither where nothing does', () => {
    const near = verdict('communication', {}, { paradigm: 'parallel' }, { paradigm: 'distributed', communicateSeconds: 0.0002 })
    expect(near).toMatchObject({ outcome: 'wins', leaders: ['parallel'], ahead: { bytes: 'parallel' } })
    expect(near.ahead).not.toHaveProperty('time')
    expect(near.text).toMatch(/^Parallel sends least between processes; in time parallel and distributed are level\./)
    const closer = verdict(
      'communication',
      { cores: 4 },
      { paradigm: 'distributed', communicateSeconds: 0.004 },
      { paradigm: 'distributed', system: 'other', communicateSeconds: 0.005 },
      { paradigm: 'parallel', communicateSeconds: 0.0048 },
    )
    expect(closer.ahead).toEqual({ bytes: 'parallel' })
    expect(closer.text).toContain('may be ahead (with one run each only a difference above 20 % counts)')
  })

  it('calls it a trade-off when each is better in one', () => {
    const found = verdict(
      'communication',
      {},
      { paradigm: 'parallel', communicateSeconds: 0.004 },
      { paradigm: 'distributed', communicateSeconds: 0.0001 },
    )
    expect(found).toMatchObject({ outcome: 'trade-off', leaders: ['parallel', 'distributed'] })
    expect(verdict('communication', {}).outcome).toBe('not measured')
    expect(verdict('communication', {}, { paradigm: 'distributed' }).outcome).toBe('no contest')
  })
})

describe('memory', () => {
  it('decides by the peak of all processes of a host, beyond 5 %', () => {
    const found = verdict('memory', {}, { paradigm: 'parallel' }, { paradigm: 'distributed' })
    expect(found).toMatchObject({ outcome: 'wins', leaders: ['solo'] })
    expect(found.text).toContain('distributed needed 2.00 × as much (481 MiB)')
    expect(found.text).toContain('Distributed used 2 processes of up to 240 MiB')
    expect(verdict('memory', {}, { paradigm: 'parallel', threadsPerProcess: 1 })).toMatchObject({ outcome: 'tie' })
  })
})

describe('a lost worker', () => {
  const lost = (paradigm: 'parallel' | 'distributed', more: SyntheticOptions): SyntheticOptions => ({
    paradigm,
    options: { faults: [{ rank: 1, kind: 'crash', afterOperations: 9 }] },
    ...more,
  })
  const error = { code: 'PEER_LOST', message: 'mpi: rank 1 was lost', details: { ranks: [1] } } as const

  it('prefers who goes on over who must be resumed', () => {
    const found = verdict(
      'faults',
      {},
      lost('parallel', { status: 'failed', error, checkpoint: 'runs/x/checkpoint' }),
      lost('distributed', {}),
    )
    expect(found).toMatchObject({ outcome: 'wins', leaders: ['distributed'] })
    expect(found.text).toContain(
      'Parallel (bsp) lost rank 1 on purpose and ended at step 562 of 1404: “mpi: rank 1 was lost”; its checkpoint runs/x/checkpoint resumes it.',
    )
    expect(found.text).toContain('Distributed (bsp) lost rank 1 on purpose and went on to its end')
    expect(found.text).toContain('Not measured for solo')
  })

  it('counts the worst of several, and is silent without a record', () => {
    const found = verdict('faults', lost('parallel', {}), lost('parallel', { seed: 2, status: 'failed', error }))
    expect(found.values.parallel?.level).toBe(1)
    expect(verdict('faults', {}, { paradigm: 'parallel' })).toMatchObject({
      outcome: 'not measured',
      sentences: ['Not measured: no run in the records lost a worker.'],
    })
  })
})
