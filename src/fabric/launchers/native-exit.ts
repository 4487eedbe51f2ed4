import koffi from 'koffi'

/**
 * Ends the process at once with libc's `_exit`: no exit handlers, which would wait for threads that are stuck in native code. The last resort,
 * after everything has been said.
 */
export function exitNow(code: number): never {
  try {
    const name = process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6'
    if (process.platform !== 'win32') koffi.load(name).func('_exit', 'void', ['int'])(code)
  } catch {
    // No such library: SIGKILL loses the code but ends the process all the same.
    process.kill(process.pid, 'SIGKILL')
  }
  process.exit(code)
}
