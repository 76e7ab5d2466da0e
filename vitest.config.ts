/** Which tests run where: `npm test` needs nothing but Node; `npm run test:system` adds reference libraries and servers. */
import { defineConfig } from 'vitest/config';

const system = process.env.RAGSCALE_SYSTEM_TESTS === '1';

export default defineConfig({
  ssr: {
    resolve: {
      conditions: ['source', 'module', 'node', 'import', 'default'],
      externalConditions: ['source', 'node', 'import', 'default'],
    },
  },
  test: {
    include: system
      ? ['{packages,apps}/*/{src,test}/**/*.system.ts', 'monitoring/**/*.system.ts', 'test/**/*.system.ts']
      : [
          '{packages,apps}/*/{src,test}/**/*.spec.ts',
          'scripts/**/*.spec.ts',
          'bench/**/*.spec.ts',
          'monitoring/**/*.spec.ts',
        ],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    execArgv: ['--conditions=source'],
  },
});
