/**
 * Which tests run where: `npm test` needs nothing but Node; `npm run test:system` adds reference libraries and servers; `npm run e2e` runs
 * those on a cluster.
 */
import { defineConfig } from 'vitest/config';

const system = process.env.RAGSCALE_SYSTEM_TESTS === '1';
const onCluster = process.env.RAGSCALE_E2E === '1';
const MINUTE_MS = 60_000;

export default defineConfig({
  ssr: {
    resolve: {
      conditions: ['source', 'module', 'node', 'import', 'default'],
      externalConditions: ['source', 'node', 'import', 'default'],
    },
  },
  test: {
    include: onCluster
      ? ['test/e2e/**/*.e2e.ts', 'test/cluster/**/*.e2e.ts']
      : system
        ? [
            '{packages,apps}/*/{src,test}/**/*.system.ts',
            'monitoring/**/*.system.ts',
            'loadtest/**/*.system.ts',
            'test/**/*.system.ts',
          ]
        : [
            '{packages,apps}/*/{src,test}/**/*.spec.ts',
            'scripts/**/*.spec.ts',
            'bench/**/*.spec.ts',
            'loadtest/**/*.spec.ts',
            'monitoring/**/*.spec.ts',
            'test/**/*.spec.ts',
          ],
    pool: 'forks',
    // A cluster's tests take its node and each other's pods: one after the other.
    maxWorkers: onCluster ? 1 : 2,
    testTimeout: onCluster ? 10 * MINUTE_MS : MINUTE_MS,
    hookTimeout: (onCluster ? 10 : 2) * MINUTE_MS,
    execArgv: ['--conditions=source'],
  },
});
