/** How does a proxy end, and what becomes of what it holds? */
import { describe, expect, it } from 'vitest';
import { RawClient } from '../../../test/support/raw-client.ts';
import { type Behaviour, FakePod } from './fake-pod.ts';
import { HeldAnswers } from './held-answers.ts';
import { type ProxyFixture, startProxy, until } from './proxy-fixture.ts';

async function readiness(proxy: ProxyFixture): Promise<{ status: number; code: string | undefined }> {
  const response = await fetch(`${proxy.adminUrl}/readyz`);
  const { error } = (await response.json()) as { error?: { code: string } };
  return { status: response.status, code: error?.code };
}

async function errorOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { code: string } }).error.code;
}

const WAITING = 'ragscale_proxy_waiting{route="default"}';

describe('a proxy that is told to end', () => {
  it('fails its readiness first, and still answers, on connections that end', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { DRAIN_DELAY_MS: '600' });
    expect(await readiness(proxy)).toEqual({ status: 200, code: undefined });
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const before = proxy.post();
    await until(() => held.waiting.length === 1);
    const ending = proxy.proxy.shutDown();
    expect(await readiness(proxy)).toEqual({ status: 503, code: 'draining' });
    const after = proxy.post();
    await until(() => held.waiting.length === 2);
    held.release();
    for (const answer of await Promise.all([before, after])) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('connection')).toBe('close');
    }
    expect(await ending).toBe(0);
    await expect(proxy.post()).rejects.toThrow();
  });

  it('finishes what runs and what waits, and takes nothing new', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { POD_CONCURRENCY: '1' });
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const asked = [proxy.post(), proxy.post(), proxy.post()];
    await until(async () => (await proxy.metric(WAITING)) === 2);
    using late = new RawClient(proxy.port);
    late.socket.write('POST /rag HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n');
    using idle = new RawClient(proxy.port);
    await until(async () => (await proxy.metric(WAITING)) === 2);
    const ending = proxy.proxy.shutDown();
    late.socket.write('\r\n{}');
    await late.until(/"draining"/);
    expect(late.head).toMatch(/^HTTP\/1\.1 503 /);
    expect(late.head).toMatch(/retry-after: 1/i);
    await until(() => late.closed);
    for (let done = 0; done < 3; done += 1) {
      await until(() => held.waiting.length === 1);
      held.release();
    }
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await ending).toBe(0);
    await until(() => idle.closed);
  });

  it('breaks off what lasts longer than SHUTDOWN_TIMEOUT_MS: 503, or an error event in a stream', async () => {
    await using pod = await FakePod.start({ slots: 1 });
    await using proxy = await startProxy([pod], { SHUTDOWN_TIMEOUT_MS: '100' });
    const held = new HeldAnswers();
    const behaviour: Behaviour = (asked, response, request) => {
      if (!asked.body.includes('"stream":true')) return held.behaviour(asked, response, request);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: token\ndata: {"text":"a"}\n\n');
    };
    pod.behaviour = behaviour;
    const running = proxy.post();
    const streaming = proxy.post({ stream: true });
    await until(() => pod.inFlight === 2);
    const waiting = proxy.post();
    await until(async () => (await proxy.metric(WAITING)) === 1);
    const stream = await streaming;
    expect(await proxy.proxy.shutDown()).toBe(3);
    for (const answer of await Promise.all([running, waiting])) {
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(await errorOf(answer)).toBe('draining');
    }
    expect(await stream.text()).toMatch(/event: token\n.*\n\nevent: error\ndata: .*"draining"/s);
    await until(() => pod.inFlight === 0);
    expect(proxy.proxy.held).toEqual({ requests: 0, bodyBytes: 0 });
  });

  it('ends with requests held for pods that never came', async () => {
    await using proxy = await startProxy([], { REGISTRATION: 'on', SHUTDOWN_TIMEOUT_MS: '50' });
    const asked = proxy.post();
    await until(async () => (await proxy.metric(WAITING)) === 1);
    expect(await proxy.proxy.shutDown()).toBe(1);
    expect((await asked).status).toBe(503);
  });

  it('ends once, however often it is told', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod]);
    const first = proxy.proxy.shutDown();
    expect(proxy.proxy.shutDown()).toBe(first);
    expect(await first).toBe(0);
    await expect(fetch(`${proxy.adminUrl}/livez`)).rejects.toThrow();
  });

  it('leaves no connection to a pod behind', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod]);
    await Promise.all(Array.from({ length: 5 }, () => proxy.post()));
    await proxy.proxy.shutDown();
    await until(async () => (await pod.connections()) === 0);
  });
});
