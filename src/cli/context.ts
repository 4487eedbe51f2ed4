import type { Command } from 'commander'
import type { Interrupts } from './interrupts.ts'
import type { Output } from './output.ts'

/** What every command is given besides its arguments. */
export interface CommandContext {
  readonly output: Output
  /** Takes over Ctrl-C until closed. */
  interrupts(): Interrupts
  /** The exit code of a command that ends without throwing; 0 unless this was called. */
  endWith(exitCode: number): void
}

/** Adds one command to the program; the file of a command exports one of these. */
export type AddCommand = (program: Command, context: CommandContext) => void
