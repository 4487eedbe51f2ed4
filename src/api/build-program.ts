import { ConfigError, TuttiError } from '../errors.ts'
import type { AnySystem } from '../systems/define.ts'
import { checkInstructions } from '../train/check-instructions.ts'
import { checkProgram } from '../train/check-program.ts'
import type { Program } from '../train/program.ts'

/**
 * The Program of a system, checked before anything starts.
 * @param context - what the system's `build` takes
 * @param options - resolved values of its options
 * @throws {ConfigError} when `build` throws or returns what is no Program; {ProtocolError} when ranks could wait for each other forever.
 */
export function buildProgram<S extends AnySystem>(
  system: S,
  context: Parameters<S['build']>[0],
  options: Readonly<Record<string, unknown>>,
): Program {
  const program = built(system, () => (system.build as (context: unknown, options: unknown) => unknown)(context, options))
  checkInstructions(system.id, system.kind, program)
  checkProgram(program, context.worldSize, system.id)
  return program
}

function built(system: AnySystem, build: () => unknown): unknown {
  try {
    return build()
  } catch (cause) {
    if (cause instanceof TuttiError) throw cause
    const message = cause instanceof Error ? cause.message : String(cause)
    const error = new ConfigError(`${system.id}: build failed — ${message} (TUTTI_DEBUG=1 shows where)`, {
      stack: cause instanceof Error ? cause.stack : undefined,
    })
    error.cause = cause
    throw error
  }
}
