/** The exact degenerate points of the data-parallel systems: what must be equal, is. */
import { describe, expect, it } from 'vitest'
import { optim } from '../../dist/index.js'
import { distance, run, sameBits, spreadSystems } from './small-run.ts'

const momentum = optim.sgd({ learningRate: 0.05, momentum: 0.9 })

describe('one rank is serial SGD', () => {
  it.each(spreadSystems)('%s %o', async (system, systemOptions) => {
    const serial = await run({ system: 'solo', optimizer: momentum })
    const one = await run({ system, systemOptions, fabric: 'virtual', workers: 1, optimizer: momentum })
    expect(distance(one, serial)).toBeLessThan(1e-6)
  })
})

describe('N ranks equal one process with the same global batch', () => {
  it.each([2, 3, 4, 8])('bsp on %i virtual ranks, to 1e-5', async (workers) => {
    const serial = await run({ system: 'solo', optimizer: momentum, until: { steps: 100 } })
    const many = await run({ system: 'bsp', fabric: 'virtual', workers, optimizer: momentum, until: { steps: 100 } })
    expect(distance(many, serial)).toBeLessThan(1e-5)
  })

  it('bit for bit with as many micro-batches, added in rank order (threads)', async () => {
    const reference = await run({ system: 'solo', microBatches: 3, optimizer: momentum })
    const many = await run({ system: 'bsp', fabric: 'threads', workers: 3, optimizer: momentum })
    expect(sameBits(many, reference)).toBe(true)
    const whole = await run({ system: 'solo', optimizer: momentum })
    expect(sameBits(whole, reference), 'one product over all rows is another sum').toBe(false)
  })

  it('also with uneven slices and a padded last batch', async () => {
    const shared = { lastBatch: 'pad', globalBatchSize: 47, until: { steps: 26 } } as const
    const serial = await run({ system: 'solo', ...shared })
    const many = await run({ system: 'bsp', fabric: 'virtual', workers: 3, ...shared })
    expect(distance(many, serial)).toBeLessThan(1e-5)
  })
})

describe('bsp does not depend on how the sum is made', () => {
  it.each(['ring', 'halving-doubling', 'tree', 'hierarchical'] as const)('%s equals native to rounding', async (allReduce) => {
    const native = await run({ system: 'bsp', fabric: 'virtual', workers: 3, optimizer: momentum })
    const other = await run({ system: 'bsp', systemOptions: { allReduce }, fabric: 'virtual', workers: 3, optimizer: momentum })
    expect(distance(other, native)).toBeLessThan(1e-6)
  })

  it('the parameter server equals the all-reduce; with a fixed order to the bit', async () => {
    const reduce = await run({ system: 'bsp', fabric: 'threads', workers: 3, optimizer: momentum })
    const server = await run({
      system: 'bsp',
      systemOptions: { aggregate: 'parameter-server' },
      fabric: 'threads',
      workers: 3,
      optimizer: momentum,
    })
    expect(sameBits(server, reduce)).toBe(true)
  })

  it('overlap changes when, not what', async () => {
    const together = await run({ system: 'bsp', fabric: 'threads', workers: 2, optimizer: momentum })
    const overlapped = await run({
      system: 'hvd',
      systemOptions: { bucketBytes: 1024 },
      fabric: 'threads',
      workers: 2,
      optimizer: momentum,
    })
    expect(sameBits(overlapped, together)).toBe(true)
  })
})

describe('neighbours of bsp', () => {
  it('ssp with no staleness is bsp', async () => {
    const bsp = await run({ system: 'bsp', fabric: 'virtual', workers: 3 })
    const ssp = await run({ system: 'ssp', systemOptions: { staleness: 0 }, fabric: 'virtual', workers: 3 })
    expect(distance(ssp, bsp)).toBeLessThan(1e-6)
  })

  it('local SGD that averages every step is bsp, for plain SGD', async () => {
    const bsp = await run({ system: 'bsp', fabric: 'virtual', workers: 3 })
    const local = await run({ system: 'local', systemOptions: { localSteps: 1 }, fabric: 'virtual', workers: 3 })
    expect(distance(local, bsp)).toBeLessThan(1e-5)
    const rare = await run({ system: 'local', systemOptions: { localSteps: 8 }, fabric: 'virtual', workers: 3 })
    expect(distance(rare, bsp)).toBeGreaterThan(1e-4)
  })

  it('one-shot averaging is local SGD with one average', async () => {
    const once = await run({ system: 'avg1', fabric: 'virtual', workers: 2 })
    const local = await run({ system: 'local', systemOptions: { localSteps: 24 }, fabric: 'virtual', workers: 2 })
    expect(distance(once, local)).toBeLessThan(1e-6)
  })

  it('local SGD sends 1/τ of the bytes', async () => {
    const bytes = async (localSteps: number) => {
      const { traffic } = await run({ system: 'local', systemOptions: { localSteps }, fabric: 'virtual', workers: 2 })
      return traffic.links.filter(({ phase }) => phase === 'parameters').reduce((sum, link) => sum + link.bytes, 0)
    }
    // 24 steps, and one average at the end of the run.
    expect((await bytes(2)) / (await bytes(8))).toBeCloseTo(13 / 4, 5)
  })
})

describe('repeatable', () => {
  it.each([
    ['bsp', 'threads'],
    ['hvd', 'threads'],
    ['local', 'threads'],
    ['asp', 'virtual'],
    ['ssp', 'virtual'],
  ] as const)('%s on %s gives the same bits twice', async (system, fabric) => {
    const spec = { system, fabric, workers: 3, optimizer: momentum, reproducible: true }
    expect(sameBits(await run(spec), await run(spec))).toBe(true)
  })

  it('another seed gives another model', async () => {
    expect(sameBits(await run({ seed: 3 }), await run({ seed: 4 }))).toBe(false)
  })
})

describe('bounded staleness', () => {
  it.each([1, 3])('ssp(%i) never reads more than s clocks ahead of the slowest', async (staleness) => {
    const result = await run({ system: 'ssp', systemOptions: { staleness }, fabric: 'threads', workers: 3, until: { steps: 60 } })
    const leads = result.ranks.flatMap((rank) => Object.keys(rank.staleness ?? {}).map(Number))
    expect(leads.length).toBeGreaterThan(0)
    expect(Math.max(...leads)).toBeLessThanOrEqual(staleness)
  })
})

describe('what the preflight expects a rank to send is what it sends', () => {
  it.each([
    ['bsp', { allReduce: 'ring' }],
    ['local', { allReduce: 'ring', localSteps: 4 }],
    ['hvd', { allReduce: 'ring', bucketBytes: 1024 }],
  ] as const)('%s %o', async (system, systemOptions) => {
    const { config, traffic } = await run({ system, systemOptions, fabric: 'virtual', workers: 2 })
    const sent = traffic.links
      .filter(({ phase }) => phase === 'gradients' || phase === 'parameters')
      .reduce((sum, { bytes }) => sum + bytes, 0)
    expect(sent / 2 / 24).toBe(config.preflight.bytesPerStep)
  })
})
