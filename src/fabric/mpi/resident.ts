import type { LaunchOptions, LaunchResult } from '../launch.ts'
export interface ResidentWorld { launch<Job, Result>(options: LaunchOptions<Job>, numProcesses: number, ranksPerProcess: number): Promise<LaunchResult<Result>> }
export function residentWorld(): ResidentWorld | undefined { return undefined }
