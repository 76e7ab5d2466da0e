import { describe, expect, it } from 'vitest';
import { readConfiguration } from './configuration.ts';
import { renderConfigurationPage } from './configuration-documentation.ts';

describe('the configuration of a local system', () => {
  it('needs nothing', () => {
    expect(readConfiguration({}, 16)).toMatchObject({
      port: 9000,
      adminPort: 9001,
      podPort: 8000,
      autoscalerPort: 9100,
      maxReplicas: 4,
      threads: 4,
      logLevel: 'warn',
      policy: {
        minReplicas: 2,
        maxReplicas: 4,
        objective: { metric: 'duration', latencyMs: 2_000, percentile: 95 },
        windowsMs: [10_000, 30_000, 60_000],
        periodMs: 5_000,
      },
    });
  });

  it.each([
    [1, 3, 1],
    [2, 3, 1],
    [4, 4, 1],
    [8, 4, 2],
    [64, 4, 16],
  ])('shares %d cores among %d pods of %d threads', (cores, maxReplicas, threads) => {
    expect(readConfiguration({}, cores)).toMatchObject({ maxReplicas, threads });
  });

  it('has room for as many pods as it must have', () => {
    expect(readConfiguration({ MIN_REPLICAS: '6' }, 2)).toMatchObject({ maxReplicas: 6 });
    expect(readConfiguration({ MAX_REPLICAS: '8', THREADS: '3' }, 2)).toMatchObject({ maxReplicas: 8, threads: 3 });
  });

  it('takes the whole policy', () => {
    const env = {
      MIN_REPLICAS: '0',
      OBJECTIVE: '300ms',
      PERCENTILE: '99.9',
      PERIOD: '2s',
      WINDOWS: '5s, 15s,1m',
      SCALE_DOWN_WINDOW: '10s',
    };
    expect(readConfiguration(env, 2).policy).toEqual({
      minReplicas: 0,
      maxReplicas: 3,
      objective: { metric: 'duration', latencyMs: 300, percentile: 99.9 },
      windowsMs: [5_000, 15_000, 60_000],
      periodMs: 2_000,
      behavior: { scaleDown: { stabilizationWindowMs: 10_000 } },
    });
  });

  it('lists every bad variable at once', () => {
    const env = {
      PORT: 'http',
      MIN_REPLICAS: '-1',
      MAX_REPLICAS: '0',
      THREADS: '0',
      OBJECTIVE: 'soon',
      PERCENTILE: '100',
      PERIOD: '5',
      WINDOWS: '10s,,1m',
      SCALE_DOWN_WINDOW: 'never',
      LOG_LEVEL: 'loud',
    };
    for (const [name, value] of Object.entries(env)) {
      expect(() => readConfiguration(env), name).toThrow(`${name}="${value}": must be `);
    }
  });

  it('names variables, not fields, where they contradict each other', () => {
    expect(() =>
      readConfiguration({ MIN_REPLICAS: '3', MAX_REPLICAS: '2', WINDOWS: '30s,10s', ADMIN_PORT: '9000' }),
    ).toThrow(
      'the configuration has 3 errors:\n  MAX_REPLICAS must be no less than MIN_REPLICAS\n  WINDOWS must be durations of at least 1000 ms, ascending\n  ADMIN_PORT=9000: must differ from PORT',
    );
  });

  it('is what docs/configuration-local.md says', async () => {
    await expect(renderConfigurationPage()).toMatchFileSnapshot('../../../../docs/configuration-local.md');
  });
});
