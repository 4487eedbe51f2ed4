/**
 * How ranks talk: `launch` runs a rank module on every rank of a fabric (`virtual`, `threads`, `mpi`, `hybrid`), a {@link Communicator} carries their
 * sends, receives and collectives.
 * @packageDocumentation
 */
export type {
  AllReduceAlgorithm,
  CollectiveKind,
  Communicator,
  LinkTraffic,
  Operation,
  PhaseTraffic,
  ReduceOp,
  Request,
  SplitRequest,
  StartOptions,
  TrafficCounters,
  WaitOptions,
} from './communicator.ts'
export { allReduceAlgorithms, blockRange } from './communicator.ts'
export type {
  FabricName,
  FaultSpec,
  Launch,
  LaunchOptions,
  LaunchResult,
  LinkShape,
  LostProcess,
  Prepared,
  ProcessInfo,
  RankEnvironment,
  RankModule,
  RankTask,
  Stall,
  Transfer,
} from './launch.ts'
export { fabricNames } from './launch.ts'
export { launch } from './launchers/index.ts'
export { type MpirunFlags, mpirunFlags } from './mpi/mpirun-flags.ts'
export { type FabricRequirements, fabricRequirements } from './requirements.ts'
