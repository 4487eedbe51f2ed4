import type { CommsMessage, FromThread, JoinMessage } from '../launchers/messages.ts'
export async function mpiLeader(_m: JoinMessage | CommsMessage, _post: (m: FromThread) => void): Promise<void> {}
export function leaveMpi(): void {}
