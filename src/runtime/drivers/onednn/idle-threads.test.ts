import koffi from 'koffi'
import { describe, expect, test } from 'vitest'
import { letIdleThreadsSleep } from './idle-threads.ts'

describe.runIf(process.platform !== 'win32')('letIdleThreadsSleep', () => {
  const names = ['OMP_WAIT_POLICY', 'GOMP_SPINCOUNT']
  const getenv = koffi.load(null).func('const char *getenv(const char *name)') as (name: string) => string | null

  test('tells native code how to wait, unless the environment says it', () => {
    for (const name of names) delete process.env[name]
    letIdleThreadsSleep({ GOMP_SPINCOUNT: '5' })
    expect(names.map((name) => getenv(name))).toEqual([null, null])
    letIdleThreadsSleep({})
    expect(names.map((name) => getenv(name))).toEqual(['passive', '2000'])
  })
})
