/** The autoscaler as it is started in production, where there is no API server that answers: a process of its own, real signals. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { AutoscalerProcess } from './autoscaler-process.ts';

/** Nobody listens there. */
const NOWHERE = 'https://127.0.0.1:1';

function configFor(server = NOWHERE): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server, skipTLSVerify: true }],
    users: [{ name: 'u', token: 'secret' }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u', namespace: 'rag' }],
    currentContext: 'x',
  });
  return config;
}

describe('an autoscaler that cannot start', () => {
  it('names every bad variable', async () => {
    await using autoscaler = new AutoscalerProcess(configFor(), { PERIOD: '5', PROMETHEUS_URL: 'here' });
    expect(await autoscaler.ended).toBe(1);
    expect(autoscaler.errors).toContain('the configuration has 2 errors:');
    expect(autoscaler.lines).toEqual([]);
  });

  it('says that there are no credentials', async () => {
    await using autoscaler = new AutoscalerProcess(undefined);
    expect(await autoscaler.ended).toBe(1);
    expect(autoscaler.errors).toMatch(
      /^Kubernetes: no credentials for Kubernetes: set KUBECONFIG, or run in a pod.*\n$/,
    );
  });

  it('says that its port is taken', async () => {
    await using server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as { port: number };
    await using autoscaler = new AutoscalerProcess(configFor(), { PORT: `${port}` });
    expect(await autoscaler.ended).toBe(1);
    expect(autoscaler.errors).toContain(`the port ${port} is taken by another process: set PORT to a free one`);
  });
});

describe('an autoscaler without an API server', () => {
  it('lives, is not ready, leads nothing, and ends when it is told to', async () => {
    await using autoscaler = new AutoscalerProcess(configFor());
    await autoscaler.line('latencyautoscalers cannot be watched in the namespace rag');
    expect((await autoscaler.ask('/livez')).status).toBe(200);
    expect(await autoscaler.ask('/readyz')).toMatchObject({ status: 503, text: expect.stringContaining('not_ready') });
    expect(await autoscaler.metric('ragscale_autoscaler_leader{namespace="rag",name="ragscale-autoscaler"}')).toBe(0);
    autoscaler.signal('SIGTERM');
    expect(await autoscaler.ended).toBe(0);
    expect(autoscaler.lines.at(-1)?.msg).toBe('bye');
  });

  it('ends as well when connections are taken and never answered', async () => {
    await using server = createServer((socket) => void socket.on('error', () => undefined).resume());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const connected = once(server, 'connection');
    const { port } = server.address() as { port: number };
    await using autoscaler = new AutoscalerProcess(configFor(`https://127.0.0.1:${port}`));
    await connected;
    autoscaler.signal('SIGTERM');
    expect(await autoscaler.ended).toBe(0);
  });
});
