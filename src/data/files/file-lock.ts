import { open, readFile, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { AbortError } from '../../errors.ts'

const pollMs = 100
/** After this long a lock counts as left behind, whoever made it. */
const staleMs = 3_600_000

/**
 * Runs `work` while this process holds the lock file; other processes wait. A lock whose process has ended is taken over.
 * Where the folder does not allow lock files the work runs without.
 */
export async function withFileLock<R>(path: string, signal: AbortSignal | undefined, work: () => Promise<R>): Promise<R> {
  for (;;) {
    if (signal?.aborted) throw new AbortError(`data: waiting for ${path} was stopped`)
    try {
      const file = await open(path, 'wx')
      await file.writeFile(`${hostname()} ${process.pid}`)
      await file.close()
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return work()
    }
    if (await isLeftBehind(path)) await rm(path, { force: true })
    else await pause(pollMs)
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function isLeftBehind(path: string): Promise<boolean> {
  try {
    const [host, pid] = (await readFile(path, 'utf8')).split(' ')
    const age = performance.timeOrigin + performance.now() - (await stat(path)).mtimeMs
    // Just made, its owner's name not written yet.
    if (host === '' || pid === undefined) return age > 10_000
    if (age > staleMs) return true
    if (host !== hostname() || Number(pid) === process.pid) return false
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
