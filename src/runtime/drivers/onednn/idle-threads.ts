import koffi from 'koffi'

/**
 * Settings of OpenMP runtimes, read when they are loaded. By default the threads of an operator that has ended spin for milliseconds in wait
 * of the next, and take the processors from ranks and from the other library's threads: a step then takes several times as long. A short
 * while of spinning keeps the way from one primitive to the next short.
 */
const settings: Readonly<Record<string, string>> = { OMP_WAIT_POLICY: 'passive', GOMP_SPINCOUNT: '2000' }

/** Lets idle threads of OpenMP sleep, in this process, unless the environment already says how they wait. */
export function letIdleThreadsSleep(environment: NodeJS.ProcessEnv = process.env): void {
  if (process.platform === 'win32' || Object.keys(settings).some((name) => environment[name] !== undefined)) return
  // The environment that native code sees: that of a worker's `process.env` is a copy.
  const set = koffi.load(null).func('int setenv(const char *name, const char *value, int overwrite)')
  for (const [name, value] of Object.entries(settings)) set(name, value, 0)
}
