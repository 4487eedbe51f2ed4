/**
 * How each operator is tested: every one has a case here.
 * @packageDocumentation
 */
import type { Case } from './case.ts'
import { coreCases } from './core.ts'

/** The cases of all operators. */
export const cases: readonly Case[] = [...coreCases]
