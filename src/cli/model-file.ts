import { realpathSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ConfigError, DataError } from '../errors.ts'

/**
 * The model file that an argument names: an .onnx file, or the one in the folder of a finished run.
 * @param command - Named in errors
 * @throws {ConfigError} when there is nothing; {@link DataError} when the folder holds no model.
 */
export async function findModelFile(command: string, from: string): Promise<string> {
  const found = await stat(from).catch(() => undefined)
  if (found === undefined) throw new ConfigError(`${command}: there is no ${from} — expected the folder of a run or an .onnx file`)
  if (found.isFile()) return resolve(from)
  const model = join(resolve(from), 'model.onnx')
  if ((await stat(model).catch(() => undefined)) === undefined) {
    throw new DataError(
      `${command}: ${from} holds no model.onnx — expected the folder of a finished training run (go on with an unfinished one by tutti run --resume ${from})`,
    )
  }
  return model
}

/** @throws {ConfigError} when the file that a command would write is the one that it reads */
export function requireOtherFile(command: string, source: string, target: string): void {
  let written = resolve(target)
  try {
    written = realpathSync(written)
  } catch {
    // It is not there yet.
  }
  if (written === realpathSync(source))
    throw new ConfigError(`${command}: ${target} is the file that is read — expected another one for --output, got the same`)
}
