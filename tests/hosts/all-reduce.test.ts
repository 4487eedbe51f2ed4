import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dist, fabric, hasMpi, rankModule } from '../contracts/built.ts'
import type { LaunchOptions, LaunchResult } from '../../src/fabric/index.ts'
import { type TwoHosts, twoHosts } from './two-hosts.ts'
import type { WireJob, WireResult } from './wire-rank.ts'

const execute = promisify(execFile)
const driver = fileURLToPath(new URL('./driver.mjs', import.meta.url))
const bitsPerSecond = 100e6
const { namespacesProblem } = await fabric.fabricRequirements()
const possible = hasMpi() && namespacesProblem === undefined
if (namespacesProblem !== undefined) {
  if (process.env['CI'] === 'true') throw new Error(`CI must not skip the tests between hosts: ${namespacesProblem}`)
  process.stderr.write(`skipped: tests between hosts: ${namespacesProblem}\n`)
}

describe.skipIf(!possible)('two hosts on a wire of 100 Mbit/s', () => {
  let hosts: TwoHosts
  let module: URL
  beforeAll(async () => {
    hosts = twoHosts(String(process.pid % 1000), '100mbit')
    module = await rankModule('../hosts/wire-rank.ts')
  })
  afterAll(() => hosts?.close())

  /** @param hostfile - Name the hosts in a file of mpirun's instead of in `hosts`. */
  async function launch(options: Partial<LaunchOptions<WireJob>> & { job: WireJob }, hostfile = false): Promise<LaunchResult<WireResult>> {
    const wire = [
      '--mca',
      'plm_rsh_agent',
      hosts.launchAgent,
      '--mca',
      'btl',
      'tcp,self',
      '--mca',
      'btl_tcp_if_include',
      hosts.subnet,
      '--mca',
      'oob_tcp_if_include',
      hosts.subnet,
    ]
    const full = {
      fabric: 'mpi',
      workers: 2,
      ...options,
      timeoutMs: 20_000,
      ...(hostfile ? {} : { hosts: options.hosts ?? hosts.addresses.map((address) => `${address}:2`) }),
      mpirunArgs: [...(options.mpirunArgs ?? ['--map-by', 'node']), ...(hostfile ? ['--hostfile', hosts.hostfile] : []), ...wire],
      module: module.href,
    }
    const { stdout } = await execute('ip', ['netns', 'exec', hosts.names[0], process.execPath, driver, dist, JSON.stringify(full)], {
      maxBuffer: 1e8,
      // A driver that does not end would keep its ranks alive after the test.
      timeout: 45_000,
    })
    return JSON.parse(stdout) as LaunchResult<WireResult>
  }

  it('sum over the wire, at the wire’s speed', { timeout: 120_000 }, async () => {
    const length = 2 ** 20
    const times = 3
    const { error, results, traffic } = await launch({ job: { length, algorithm: 'native', times } })
    expect(error).toBeUndefined()
    expect(results.map((result) => result?.sum)).toEqual([3, 3])
    // Which rank is where is the runtime's word: the namespaces share one host name.
    expect(results[0]?.hostOf).toEqual([0, 1])
    const bytes = traffic[0]?.links.filter((link) => link.to === 1 && link.phase === 'allReduce').reduce((sum, link) => sum + link.bytes, 0)
    expect(bytes).toBe(times * 4 * length)
    // At least n bytes leave each host in each all-reduce; a burst may pass the bucket at once.
    const least = (8 * times * 4 * length) / bitsPerSecond
    expect(results[0]?.seconds).toBeGreaterThan(0.8 * least)
  })

  it('hierarchical keeps most bytes inside the hosts', { timeout: 120_000 }, async () => {
    const length = 2 ** 18
    const { error, results, traffic } = await launch({ workers: 4, job: { length, algorithm: 'hierarchical', times: 1 }, mpirunArgs: [] })
    expect(error).toBeUndefined()
    expect(results.map((result) => result?.sum)).toEqual([10, 10, 10, 10])
    expect(results[0]?.hostOf).toEqual([0, 0, 1, 1])
    const hostOf = results[0]?.hostOf ?? []
    const across = (rank: number) =>
      traffic[rank]?.links
        .filter((link) => link.phase === 'allReduce' && hostOf[link.to] !== hostOf[rank])
        .reduce((sum, link) => sum + link.bytes, 0)
    // 2(n/g)(q−1)/q with g = q = 2.
    for (let rank = 0; rank < 4; rank++) expect(across(rank)).toBe((4 * length) / 2)
  })

  it('hosts from a file of mpirun, which only mpirun reads', { timeout: 120_000 }, async () => {
    const { error, results } = await launch({ job: { length: 1000, algorithm: 'ring', times: 1 } }, true)
    expect(error).toBeUndefined()
    expect(results.map((result) => result?.sum)).toEqual([3, 3])
    expect(results[0]?.hostOf).toEqual([0, 1])
  })

  it.each([
    ['one process a host, as many ranks as slots', { workers: 4 }, [0, 0, 1, 1]],
    ['fewer ranks than slots, still on both hosts', { workers: 2, threadsPerProcess: 1 }, [0, 1]],
    ['two processes a host', { workers: 4, threadsPerProcess: 1 }, [0, 0, 1, 1]],
  ])('hybrid: %s', { timeout: 120_000 }, async (_, options, hostOf) => {
    const { error, results, traffic } = await launch({
      fabric: 'hybrid',
      ...options,
      mpirunArgs: [],
      job: { length: 1009, algorithm: 'native', times: 2 },
    })
    expect(error).toBeUndefined()
    const sum = (options.workers * (options.workers + 1)) / 2
    expect(results.map((result) => result?.sum)).toEqual(hostOf.map(() => sum))
    expect(results[0]?.hostOf).toEqual(hostOf)
    expect(traffic.every((each) => each !== undefined)).toBe(true)
  })

  it('a process that is killed on the other host is named', { timeout: 120_000 }, async () => {
    const fault = { rank: 1, kind: 'crash', afterOperations: 3 } as const
    const { error, rankErrors } = await launch({ job: { length: 1000, algorithm: 'native', times: 1e6 }, faults: [fault] })
    expect(error).toMatchObject({ code: 'PEER_LOST', details: { ranks: [1] } })
    expect(rankErrors[0]).toMatchObject({ code: 'PEER_LOST', details: { ranks: [1] } })
  })
})
