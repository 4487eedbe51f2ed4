import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Two network namespaces joined by one link: hosts with their own addresses and routes, on one machine. */
export interface TwoHosts {
  readonly addresses: readonly [string, string]
  readonly subnet: string
  /** Name of each namespace, for `ip netns exec`. */
  readonly names: readonly [string, string]
  /** For `--mca plm_rsh_agent`: starts a process on the host with an address. */
  readonly launchAgent: string
  /** Both hosts with two slots each, for `--hostfile`. */
  readonly hostfile: string
  close(): void
}

const subnet = '10.77.0'

/**
 * Makes the two hosts; each end of the link lets `rate` through. Needs root and iproute2.
 * @param tag - Part of all names, so that several can exist at once.
 */
export function twoHosts(tag: string, rate: string): TwoHosts {
  const names = [`tutti-${tag}-1`, `tutti-${tag}-2`] as const
  const links = [`v${tag}1`, `v${tag}2`] as const
  const addresses = [`${subnet}.1`, `${subnet}.2`] as const
  const folder = mkdtempSync(join(tmpdir(), 'tutti-hosts-'))
  const ip = (...args: string[]): void => {
    execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  }
  const close = (): void => {
    for (const name of names) {
      try {
        ip('netns', 'delete', name)
      } catch {
        // It was never made, or is gone already.
      }
    }
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    for (const name of names) ip('netns', 'add', name)
    ip('link', 'add', links[0], 'netns', names[0], 'type', 'veth', 'peer', 'name', links[1], 'netns', names[1])
    for (const [index, name] of names.entries()) {
      const link = links[index] as string
      ip('-n', name, 'addr', 'add', `${addresses[index]}/24`, 'dev', link)
      ip('-n', name, 'link', 'set', link, 'up')
      ip('-n', name, 'link', 'set', 'lo', 'up')
      // A token bucket; its latency is how long a packet may wait in it, not a delay.
      execFileSync('tc', ['-n', name, 'qdisc', 'add', 'dev', link, 'root', 'tbf', 'rate', rate, 'burst', '32kb', 'latency', '50ms'], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
    }
    const launchAgent = join(folder, 'agent.sh')
    const cases = addresses.map((address, index) => `${address}) ns=${names[index]} ;;`).join('\n')
    writeFileSync(launchAgent, `#!/bin/sh\nhost=$1\nshift\ncase "$host" in\n${cases}\nesac\nexec ip netns exec "$ns" /bin/sh -c "$*"\n`)
    chmodSync(launchAgent, 0o755)
    const hostfile = join(folder, 'hosts')
    writeFileSync(hostfile, addresses.map((address) => `${address} slots=2\n`).join(''))
    return { addresses, subnet: `${subnet}.0/24`, names, launchAgent, hostfile, close }
  } catch (error) {
    close()
    throw error
  }
}
