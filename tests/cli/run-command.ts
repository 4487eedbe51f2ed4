import { runCli } from '../../src/cli/program.ts'

/** What a command left behind. */
export interface Ended {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command of the sources in this process and collects what it prints. */
export async function tutti(...args: string[]): Promise<Ended> {
  const printed = { stdout: '', stderr: '' }
  const sink = (name: keyof typeof printed) => ({
    write: (text: string) => {
      printed[name] += text
    },
  })
  const exitCode = await runCli(args, {
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    endNow: () => {
      throw new Error('ended')
    },
  })
  return { exitCode, ...printed }
}
