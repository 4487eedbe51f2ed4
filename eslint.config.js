// Biome formats and lints; this file adds only the rules that need types. A forgotten `await` in a collective is a deadlock.
import tseslint from 'typescript-eslint'

export default tseslint.config(
  {
    ignores: ['dist', '.build', 'runs', 'data', 'node_modules', '**/*.js', '**/*.mjs', 'src/kernels/assembly', 'src/compare/report/client'],
  },
  {
    files: ['src/**/*.ts', 'tests/**/*.ts', 'examples/**/*.ts', 'benchmarks/**/*.ts', '*.config.ts'],
    languageOptions: { parser: tseslint.parser, parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    plugins: { '@typescript-eslint': tseslint.plugin },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
)
