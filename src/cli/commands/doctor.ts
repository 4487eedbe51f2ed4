import type { AddCommand } from '../context.ts'
import type { Check } from '../doctor/check.ts'
import { exitCodes } from '../failure.ts'
import { formatFacts } from '../table.ts'

const marks: Readonly<Record<Check['status'], string>> = { ok: '✓', missing: '–', problem: '✗' }

/** `tutti doctor`: what this machine has, and how to mend what is missing. */
export const addDoctor: AddCommand = (program, { output, endWith }) => {
  program
    .command('doctor')
    .summary('what this machine has, and how to mend what is missing')
    .description(
      'Shows processor, memory, native parts, MPI, data and tools. ✓ is there, – is optional and missing, ✗ is needed and missing (exit code 1).',
    )
    .option('--json', 'print one JSON document')
    .action(async () => {
      const { allChecks } = await import('../doctor/all-checks.ts')
      const checks = await allChecks()
      const ok = checks.every((check) => check.status !== 'problem')
      output.result({ ok, checks }, () => formatChecks(checks))
      if (!ok) endWith(exitCodes.failed)
    })
}

function formatChecks(checks: readonly Check[]): string {
  const facts = formatFacts(checks.map((check) => [`${marks[check.status]} ${check.name}`, check.detail]))
  const repairs = checks.filter((check) => check.mend !== undefined).map((check) => [check.name, check.mend!] as const)
  return repairs.length === 0 ? facts : `${facts}\n\nTo mend it:\n${formatFacts(repairs)}`
}
