/** The proxy as it is started in production: a process of its own, real signals. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { FakePod } from './fake-pod.ts';
import { HeldAnswers } from './held-answers.ts';
import { until } from './proxy-fixture.ts';
import { type ProxyProcess, runToEnd, startProcess } from './proxy-process.ts';

function post({ url }: ProxyProcess): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${url}/rag`, { method: 'POST', headers, body: '{"query":"q"}' });
}

describe('a proxy that starts', () => {
  it('says where it listens and when it is ready, and forwards', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProcess({ BACKENDS: pod.url });
    expect(await proxy.line('ready')).toMatchObject({
      level: 'info',
      url: proxy.url.replace('127.0.0.1', 'localhost'),
    });
    expect((await post(proxy)).status).toBe(200);
    expect((await fetch(`${proxy.adminUrl}/readyz`)).status).toBe(200);
    await until(() => proxy.log.some(({ msg }) => msg === 'request'));
  });

  it('is ready without a pod', async () => {
    await using proxy = await startProcess({});
    expect((await post(proxy)).status).toBe(503);
  });
});

describe('a signal', () => {
  it('lets what runs and what waits finish, and the process end with 0', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProcess({ BACKENDS: pod.url, POD_CONCURRENCY: '1' });
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const asked = [post(proxy), post(proxy), post(proxy)];
    await until(async () =>
      (await (await fetch(`${proxy.adminUrl}/metrics`)).text()).includes('ragscale_proxy_waiting{route="default"} 2'),
    );
    proxy.child.kill('SIGTERM');
    await proxy.line('shutting down');
    for (let done = 0; done < 3; done += 1) {
      await until(() => held.waiting.length === 1);
      held.release();
    }
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await proxy.ended).toBe(0);
    expect(proxy.log.find(({ msg }) => msg === 'bye')).toMatchObject({ aborted: 0 });
    expect(proxy.log.filter(({ msg }) => msg === 'request').length).toBe(3);
  });

  it('ends what lasts too long with 503', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProcess({ BACKENDS: pod.url, SHUTDOWN_TIMEOUT_MS: '100' });
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const asked = post(proxy);
    await until(() => held.waiting.length === 1);
    proxy.child.kill('SIGINT');
    expect((await asked).status).toBe(503);
    expect(await proxy.ended).toBe(0);
    expect(proxy.log.find(({ msg }) => msg === 'bye')).toMatchObject({ aborted: 1 });
  });

  it('given twice ends the process at once', async () => {
    await using proxy = await startProcess({ DRAIN_DELAY_MS: '600000' });
    proxy.child.kill('SIGTERM');
    await proxy.line('shutting down');
    expect((await fetch(`${proxy.adminUrl}/readyz`)).status).toBe(503);
    proxy.child.kill('SIGTERM');
    expect(await proxy.ended).toBe(1);
  });
});

describe('a proxy that cannot start', () => {
  it('lists every bad variable and ends with 1', async () => {
    expect(await runToEnd({ PORT: 'eighty', BACKENDS: 'http://a:1,x', POLICY: 'best' })).toEqual({
      code: 1,
      errors:
        'the configuration has 2 errors:\n  PORT="eighty": must be an integer from 0 to 65535\n' +
        '  POLICY="best": must be one of round-robin, least-request, two-choices, peak-ewma\n',
    });
    const { code, errors } = await runToEnd({ BACKENDS: 'http://a:1,x' });
    expect([code, errors]).toEqual([
      1,
      expect.stringMatching(/^the configuration has an error:\n {2}BACKENDS: x: .*\n$/),
    ]);
  });

  it('tells of credentials for Kubernetes that are not there', async () => {
    const { code, errors } = await runToEnd({ BACKENDS: 'k8s://rag', HOME: '/nonexistent' });
    expect([code, errors]).toEqual([
      1,
      'the configuration has an error:\n  k8s://rag: no credentials for Kubernetes: set KUBECONFIG, or run in a pod with automountServiceAccountToken: true\n',
    ]);
  });

  it.each(['PORT', 'ADMIN_PORT'])('names the port when %s is taken', async (variable) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, errors } = await runToEnd({ [variable]: String(port) });
    other.close();
    expect([code, errors]).toEqual([
      1,
      `the port ${port} is taken by another process: set PORT or ADMIN_PORT to a free one\n`,
    ]);
  });

  it('names the file of API keys that is not there', async () => {
    expect(await runToEnd({ API_KEYS_FILE: '/nowhere/keys' })).toEqual({
      code: 1,
      errors: 'the file of API keys /nowhere/keys: it cannot be read (ENOENT)\n',
    });
  });
});
