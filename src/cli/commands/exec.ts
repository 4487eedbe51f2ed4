import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { importUserModule } from '../../api/user-module.ts'
import type { AddCommand } from '../context.ts'

/** `tutti exec script.ts`: a script of the user's, alone or as rank 0 of a job that mpirun or Slurm started. */
export const addExec: AddCommand = (program) => {
  program
    .command('exec')
    .summary('run a script of yours, also under mpirun or Slurm')
    .description(
      'Runs a TypeScript or JavaScript file that imports tutti. Under mpirun or srun, rank 0 runs the script and all other ranks serve what ' +
        'it trains, fits or compares with fabric "mpi"; the script runs once.',
    )
    .argument('<script>', 'a .ts or .js file')
    .argument('[args...]', 'what the script finds in process.argv')
    .passThroughOptions()
    .allowUnknownOption()
    .addHelpText(
      'after',
      '\nExamples:\n  tutti exec train.ts\n  mpirun -n 8 tutti exec train.ts --epochs 3\n  srun -n 64 tutti exec train.ts',
    )
    .action(async (script: string, args: string[]) => {
      process.argv = [process.argv[0]!, script, ...args]
      const { startedByMpi, withResidentWorld } = await import('../../fabric/mpi/resident.ts')
      // The other processes never see the script: they serve what it launches, and load rank modules from its folder only.
      if (startedByMpi()) await withResidentWorld(() => importUserModule(script), [new URL('.', pathToFileURL(resolve(script)))])
      else await importUserModule(script)
    })
}
