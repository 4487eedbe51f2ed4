import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { interleave, relativeSpread } from './bench.ts'
import { PythonPeer } from './python-peer.ts'

describe('interleave', () => {
  it('takes the median of the ratios within a round, in alternating order', async () => {
    const order: string[] = []
    // Both sides slow down together, fourfold: the ratio must not see it.
    const ours = [9, 1, 2, 4]
    const peer = [9, 3, 6, 12]
    const round = (name: string, values: number[]) => () => {
      order.push(name)
      return values.shift()!
    }
    const result = await interleave(round('ours', ours), round('peer', peer), 3)
    expect(result).toEqual({ ours: 2, peer: 6, ratio: 3, spread: 0 })
    expect(order).toEqual(['ours', 'peer', 'ours', 'peer', 'peer', 'ours', 'ours', 'peer'])
  })

  it('has ratios above 1 for better, also where more is better', async () => {
    const result = await interleave(
      () => 200,
      () => 100,
      3,
      'higher',
    )
    expect(result.ratio).toBe(2)
  })

  it('still measures ours without a peer', async () => {
    const values = [0, 1, 2, 3]
    const result = await interleave(() => values.shift()!, undefined, 3)
    expect(result).toMatchObject({ ours: 2, peer: null, ratio: null })
  })

  it('refuses too few rounds', async () => {
    await expect(interleave(() => 1, undefined, 2)).rejects.toThrow('at least 3 rounds, got 2')
  })

  it('states the spread as half the distance between the quartiles', () => {
    expect(relativeSpread([1, 2, 3])).toBe(0.25)
  })
})

describe('PythonPeer', () => {
  const hasPython = spawnSync('python3', ['--version']).status === 0
  let home: string

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'tutti-peer-'))
  })

  afterAll(async () => {
    await rm(home, { recursive: true, force: true })
  })

  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(home, name), text)
    return join(home, name)
  }

  it.runIf(hasPython)('times rounds in one process and passes on what else it says', async () => {
    const script = await write(
      'peer.py',
      `import json, os, sys
print("warming up", flush=True)
rounds = 0
for line in sys.stdin:
    iterations = int(line.split()[1])
    rounds += 1
    print(json.dumps({"seconds_per_iteration": iterations / 1000, "rounds": rounds, "threads": os.environ["OMP_NUM_THREADS"], "versions": {"lib": "1.2"}}), flush=True)
`,
    )
    const peer = await PythonPeer.start({ script, install: 'pip install lib', threads: 2 })
    if ('missing' in peer) throw new Error(peer.missing)
    expect(await peer.seconds(500)).toBe(0.5)
    expect(await peer.round(1)).toMatchObject({ rounds: 3, threads: '2' })
    expect(peer.versions).toEqual({ lib: '1.2' })
    await peer.close()
    await peer.close()
    await expect(peer.round(1)).rejects.toThrow(/peer\.py ended — expected an answer, got exit code 0/)
  })

  it.runIf(hasPython)('names the command that installs a missing package', async () => {
    const script = await write('absent.py', 'import surely_not_a_package\n')
    expect(await PythonPeer.start({ script, install: 'pip install surely==1' })).toEqual({
      missing: 'surely_not_a_package is not installed: pip install surely==1',
    })
  })

  it.runIf(hasPython)('throws the last line of a peer that fails for another reason', async () => {
    const script = await write('broken.py', 'raise ValueError("no rows")\n')
    await expect(PythonPeer.start({ script, install: 'pip install x' })).rejects.toThrow(/ValueError: no rows/)
  })

  it('says how to get Python where it is missing', async () => {
    vi.stubEnv('TUTTI_PYTHON', 'surely-not-python')
    const answer = await PythonPeer.start({ script: 'x.py', install: 'pip install x' })
    vi.unstubAllEnvs()
    expect(answer).toMatchObject({ missing: expect.stringMatching(/surely-not-python is not installed: apt-get .* pip install x/) })
  })

  it('runs any other command', async () => {
    const text = `process.stdin.on('data', () => console.log(JSON.stringify({ seconds_per_iteration: 0.25, argument: process.argv[2] })))\n`
    const command: [string, string] = [process.execPath, '--no-warnings']
    const peer = await PythonPeer.start({ script: await write('peer.mjs', text), args: ['x'], command, install: 'npm install x' })
    if ('missing' in peer) throw new Error(peer.missing)
    expect(await peer.round(4)).toMatchObject({ seconds_per_iteration: 0.25, argument: 'x' })
    await peer.close()
    const script = await write('absent.mjs', "import 'surely-not-a-package'\n")
    const missing = 'surely-not-a-package is not installed: npm install x'
    expect(await PythonPeer.start({ script, command, install: 'npm install x' })).toEqual({ missing })
    const absent = await PythonPeer.start({ script, command: ['surely-not-node'], install: 'apt-get install node' })
    expect(absent).toEqual({ missing: 'surely-not-node is not installed: apt-get install node' })
  })
})
