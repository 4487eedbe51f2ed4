import type { Communicator } from '../communicator.ts'
import type { Lane } from '../control/lane.ts'
import type { BeginMessage, TransportSpec } from '../launchers/messages.ts'
import type { TrafficCounter } from '../wrappers/counting.ts'
export function mpiTransport(_b: BeginMessage, _t: TransportSpec & { kind: 'mpi' | 'hybrid' }, _l: Lane, _c: TrafficCounter): { comm: Communicator; mailbox: Communicator | undefined } {
  throw new Error('todo')
}
