import { describe, expect, it } from 'vitest'
import { leavesThisHost, parseHosts, processHosts } from './host-list.ts'

describe('a host list', () => {
  it('is names, with or without a number', () => {
    expect(parseHosts(['a', 'b.example:12', '10.0.0.1:*', '+n0'])).toEqual([
      { name: 'a', slots: 1 },
      { name: 'b.example', slots: 12 },
      { name: '10.0.0.1', slots: 'all' },
      { name: '+n0', slots: 1 },
    ])
  })

  it.each([['a:'], ['a:0'], ['a:x'], ['a b'], ['a,b'], ['']])('refuses %j', (host) => {
    expect(() => parseHosts([host])).toThrow(/^hosts: not a host/)
  })

  it('refuses an empty one', () => {
    expect(() => parseHosts([])).toThrow(/empty/)
  })

  it.each([
    ['one rank a process', ['a:2', 'b'], 3, 1, ['a:2', 'b:1']],
    ['ranks become processes', ['a:8', 'b:8'], 4, 4, ['a:2', 'b:2']],
    ['fewer ranks than slots: on every host', ['a:8', 'b:8'], 2, 4, ['a:1', 'b:1']],
    ['at least one process a host', ['a', 'b'], 2, 4, ['a:1', 'b:1']],
    ['different hosts keep what fits', ['a:4', 'b:12'], 4, 4, ['a:1', 'b:3']],
    ['what mpirun finds there', ['a:*', 'b:*'], 2, 4, ['a:*', 'b:*']],
  ] as const)('%s', (_, hosts, numProcesses, ranksPerProcess, expected) => {
    expect(processHosts(hosts, numProcesses, ranksPerProcess)).toEqual(expected)
  })
})

describe('where processes go', () => {
  it.each([
    [undefined, [], {}, false],
    [['a'], [], {}, true],
    [undefined, ['--hostfile', 'hosts'], {}, true],
    [undefined, ['-H', 'a,b'], {}, true],
    [undefined, ['--mca', 'btl', 'tcp,self'], {}, false],
    [undefined, ['--mca', 'orte_default_hostfile', 'hosts'], {}, true],
    [undefined, [], { SLURM_JOB_ID: '7', SLURM_JOB_NUM_NODES: '2' }, true],
    [undefined, [], { SLURM_JOB_ID: '7', SLURM_JOB_NUM_NODES: '1' }, false],
    [undefined, [], { PBS_NODEFILE: '/var/spool/nodes' }, true],
    [undefined, [], { OMPI_MCA_orte_default_hostfile: 'hosts' }, true],
  ])('hosts %j, arguments %j, %j: elsewhere is %j', (hosts, args, env, expected) => {
    expect(leavesThisHost(hosts, args, env)).toBe(expected)
  })
})
