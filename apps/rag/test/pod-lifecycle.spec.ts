/** From listening over ready to the end. */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { FakeEngine } from './fake-engine.ts';
import { startPod, until } from './pod-fixture.ts';

async function statusOf(url: string): Promise<number> {
  return (await fetch(url)).status;
}

describe('a pod that starts', () => {
  it('lives at once, and is ready when it has answered a question', async () => {
    await using pod = await startPod({ unstarted: true });
    expect(await statusOf(`${pod.url}/livez`)).toBe(200);
    expect(await statusOf(`${pod.url}/readyz`)).toBe(503);
    const early = await pod.post({ query: 'too early?' });
    expect([early.status, early.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await early.json()).toMatchObject({ error: { code: 'not_ready' } });
    expect(await pod.metrics()).toContain('ragscale_slots{variant="baseline"} 0');
    let warm = () => {};
    pod.engine.beforeAnswer = () => new Promise((resolve) => (warm = resolve));
    const started = pod.pod.start();
    await until(() => pod.engine.generations.length === 1);
    expect(await statusOf(`${pod.url}/readyz`)).toBe(503);
    warm();
    await started;
    expect(await statusOf(`${pod.url}/readyz`)).toBe(200);
    expect(await pod.metrics()).toContain('ragscale_slots{variant="baseline"} 1');
  });

  it('fails when its engine dies meanwhile, and tells of a later death', async () => {
    const engine = new FakeEngine();
    engine.beforeAnswer = () => new Promise(() => {});
    await using pod = await startPod({ unstarted: true, startEngine: async () => engine });
    const started = pod.pod.start();
    engine.die(new Error('out of memory'));
    await expect(started).rejects.toThrow('out of memory');
    await using other = await startPod({ unstarted: true });
    const { failed } = await other.pod.start();
    other.engine.die(new Error('later'));
    await expect(failed).rejects.toThrow('later');
  });

  it('names the file when its documents cannot be used', async () => {
    await using pod = await startPod({ unstarted: true, env: { DOCUMENTS: 'package.json' } });
    await expect(pod.pod.start()).rejects.toThrow('package.json is neither of .txt, .md, .jsonl');
  });
});

describe('a pod that ends', () => {
  it('finishes what runs and what waits, and frees the engine', async () => {
    const pod = await startPod();
    const held: (() => void)[] = [];
    pod.engine.beforeAnswer = () => new Promise((resolve) => held.push(resolve));
    const answers = [pod.post({ query: 'runs' }), pod.post({ query: 'waits' })];
    await until(async () => /requests_waiting{variant="baseline"} 1/.test(await pod.metrics()));
    const ended = pod.pod.shutDown();
    expect(pod.engine.closed).toBe(false);
    held.shift()?.();
    await until(() => held.length === 1);
    held.shift()?.();
    const responses = await Promise.all(answers);
    expect(responses.map((response) => [response.status, response.headers.get('connection')])).toEqual([
      [200, 'close'],
      [200, 'close'],
    ]);
    expect(await ended).toBe(0);
    expect(pod.engine.closed).toBe(true);
    await expect(fetch(`${pod.url}/livez`)).rejects.toThrow();
  });

  it('fails readiness at once, yet answers while load balancers have not noticed', async () => {
    const pod = await startPod({ env: { DRAIN_DELAY_MS: '300' } });
    const ended = pod.pod.shutDown();
    const ready = await fetch(`${pod.url}/readyz`);
    expect([ready.status, ready.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await pod.post({ query: 'still?' })).status).toBe(200);
    expect(await statusOf(`${pod.url}/livez`)).toBe(200);
    expect(await ended).toBe(0);
  });

  it('refuses new questions on open connections while it drains', async () => {
    const pod = await startPod();
    let answer = () => {};
    pod.engine.beforeAnswer = () => new Promise((resolve) => (answer = resolve));
    const running = pod.post({ query: 'runs' });
    await until(() => pod.engine.generations.length === 2);
    // A request whose head was sent before the pod began to drain, and whose body comes after.
    const body = '{"query":"late"}';
    const agent = new Agent({ keepAlive: true });
    const late = request(`${pod.url}/rag`, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', 'content-length': String(body.length) },
    });
    late.flushHeaders();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const ended = pod.pod.shutDown();
    late.end(body);
    const [response] = await once(late, 'response');
    response.resume();
    expect([response.statusCode, response.headers['retry-after'], response.headers.connection]).toEqual([
      503,
      '1',
      'close',
    ]);
    answer();
    expect((await running).status).toBe(200);
    await ended;
    agent.destroy();
  });

  it('does not wait for a connection on which nothing was asked', async () => {
    const pod = await startPod();
    const silent = connect(pod.port, '127.0.0.1');
    await once(silent, 'connect');
    const closed = once(silent, 'close');
    expect(await pod.pod.shutDown()).toBe(0);
    await closed;
  });

  it('ends what outlasts the timeout with a 503', async () => {
    const pod = await startPod({ env: { SHUTDOWN_TIMEOUT_MS: '50' } });
    pod.engine.beforeAnswer = () => new Promise(() => {});
    const stuck = pod.post({ query: 'stuck' });
    await until(() => pod.engine.generations.length === 2);
    expect(await pod.pod.shutDown()).toBe(1);
    const response = await stuck;
    expect([response.status, await response.json()]).toMatchObject([503, { error: { code: 'draining' } }]);
    expect(pod.engine.closed).toBe(true);
  });
});
