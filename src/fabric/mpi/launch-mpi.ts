import type { LaunchOptions, LaunchResult } from '../launch.ts'
export async function launchMpi<Job, Result>(_options: LaunchOptions<Job>): Promise<LaunchResult<Result>> {
  throw new Error('todo')
}
