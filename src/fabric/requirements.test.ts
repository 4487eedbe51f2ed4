import { afterEach, describe, expect, it } from 'vitest'
import { refuseOtherMpi } from './mpi/bindings.ts'
import { mpirunVersion } from './requirements.ts'

const path = process.env['PATH']
afterEach(() => {
  process.env['PATH'] = path
})

describe('which MPI is there', () => {
  it.each(['Open MPI v4.1.4', 'mpirun (Open MPI) 4.1.6', 'Open MPI v4.0.3'])('takes %s', (version) => {
    expect(() => refuseOtherMpi(version)).not.toThrow()
  })

  it.each([
    ['MPICH Version: 4.0.2', 'got MPICH'],
    ['HYDRA build details', 'got MPICH'],
    ['Open MPI v5.0.1', 'got Open MPI 5'],
    ['mpirun (Open MPI) 5.0.3', 'got Open MPI 5'],
    ['Intel(R) MPI Library', 'got Intel(R) MPI Library'],
  ])('refuses %s in one line', (version, got) => {
    expect(() => refuseOtherMpi(version)).toThrow(
      expect.objectContaining({ code: 'TRANSPORT', message: expect.stringMatching(/^mpi: [^\n]+$/) }),
    )
    expect(() => refuseOtherMpi(version)).toThrow(got)
  })

  it('says how to get mpirun where there is none', async () => {
    process.env['PATH'] = '/nonexistent'
    await expect(mpirunVersion()).rejects.toMatchObject({
      code: 'TRANSPORT',
      message: expect.stringContaining('apt-get install openmpi-bin'),
    })
  })
})
