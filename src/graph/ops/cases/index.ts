/**
 * How each operator is tested: every one has a case here.
 * @packageDocumentation
 */
import type { Case } from './case.ts'
import { coreCases } from './core.ts'
import { graphCases } from './graph.ts'
import { sequenceCases } from './sequence.ts'
import { normalisationCases } from './normalisation.ts'
import { spatialCases } from './spatial.ts'

/** The cases of all operators. */
export const cases: readonly Case[] = [...coreCases, ...normalisationCases, ...spatialCases, ...sequenceCases, ...graphCases]
