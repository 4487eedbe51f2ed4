import { defineConfig } from 'vitest/config'

// Node 20 has no `using` declarations: sources are lowered as the build lowers them.
const oxc = { target: 'es2023' } as const

export default defineConfig({
  test: {
    projects: [
      {
        // Files share the modules that they import: loading those for each takes as long as the tests.
        oxc,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts'],
          exclude: ['src/**/*.alone.test.ts'],
          pool: 'forks',
          isolate: false,
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Each file in a process of its own: what it measures, or changes, is that process.
        oxc,
        test: {
          name: 'alone',
          include: ['src/**/*.alone.test.ts'],
          pool: 'forks',
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Threads, processes and sockets against the built dist: one file at a time, because each may use every core.
        oxc,
        test: {
          name: 'whole',
          include: ['tests/**/*.test.ts'],
          pool: 'forks',
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
