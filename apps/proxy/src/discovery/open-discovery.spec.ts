import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseBackends } from './backends.ts';
import type { FoundEndpoint } from './discovery.ts';
import { openDiscovery } from './open-discovery.ts';

const logger = pino({ level: 'silent' });

afterEach(() => vi.unstubAllEnvs());

describe('the discovery of a route', () => {
  it('merges its fixed addresses and its names', async () => {
    const [route] = parseBackends('http://10.0.0.2:8000?weight=2,dns://10.0.0.1:8000,http://10.0.0.3:8000');
    const discovery = openDiscovery(route!, { logger });
    let found: readonly FoundEndpoint[] = [];
    await discovery.start((list) => {
      found = list;
    });
    await vi.waitFor(() => expect(found).toHaveLength(3));
    await discovery.stop();
    expect(found.map(({ origin, weight, condition, local }) => [origin, weight, condition, local])).toEqual([
      ['http://10.0.0.1:8000', 1, 'ready', true],
      ['http://10.0.0.2:8000', 2, 'ready', true],
      ['http://10.0.0.3:8000', 1, 'ready', true],
    ]);
  });

  it('says what is missing where there is no cluster', async () => {
    vi.stubEnv('KUBECONFIG', '');
    vi.stubEnv('KUBERNETES_SERVICE_HOST', '');
    vi.stubEnv('HOME', '/nonexistent');
    const [route] = parseBackends('k8s://rag');
    const started = openDiscovery(route!, { logger }).start(() => expect.fail('found'));
    await expect(started).rejects.toThrow('k8s://rag: no credentials for Kubernetes: set KUBECONFIG');
  });
});
