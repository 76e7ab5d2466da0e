/** Connections on both sides: used again, in order, and nothing left behind when they break. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answerJson, FakePod } from './fake-pod.ts';
import { type ProxyFixture, startProxy, until } from './proxy-fixture.ts';
import { answerOk, RawPod } from './raw-pod.ts';
import { WireClient } from './wire-client.ts';

let pod: FakePod;
let proxy: ProxyFixture;

beforeEach(async () => {
  pod = await FakePod.start();
  proxy = await startProxy([pod]);
});
afterEach(async () => {
  // Whatever happened, nothing of it stays behind.
  await until(async () => (await proxy.metric('ragscale_proxy_in_flight{route="default"}')) === 0);
  pod.behaviour = answerJson;
  expect((await proxy.post()).status).toBe(200);
  await proxy[Symbol.asyncDispose]();
  await pod[Symbol.asyncDispose]();
});

describe('connections', () => {
  it('of a client carry pipelined requests, answered in their order', async () => {
    using client = new WireClient(proxy.port);
    pod.behaviour = (asked, response) => {
      // The first is the last to be ready.
      const wait = asked.url === '/rag?0' ? 50 : 0;
      setTimeout(() => response.end(asked.url), wait);
    };
    client.send(Array.from({ length: 4 }, (_, at) => `GET /rag?${at} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    const answers = await client.answers(4);
    expect(answers.map(({ body }) => body.toString())).toEqual(['/rag?0', '/rag?1', '/rag?2', '/rag?3']);
  });

  it('that break with several answers due leave nothing behind', async () => {
    using client = new WireClient(proxy.port);
    pod.behaviour = () => undefined;
    client.send(Array.from({ length: 6 }, () => 'GET /rag HTTP/1.1\r\nHost: a\r\n\r\n').join(''));
    await until(() => pod.asked.length === 5);
    client.socket.destroy();
    await until(() => pod.asked.every((asked) => asked.withdrawn()));
  });

  it('to a pod are used again, one for all that comes one after the other', async () => {
    await using raw = await RawPod.start();
    await using other = await startProxy([raw]);
    for (let round = 0; round < 20; round += 1) expect((await other.post()).status).toBe(200);
    expect([raw.asked.length, raw.connections]).toEqual([20, 1]);
    // As many as there are at once, and no more.
    raw.behaviour = (asked, socket) => void setTimeout(() => answerOk(asked, socket), 5);
    for (let round = 0; round < 3; round += 1) await Promise.all(Array.from({ length: 8 }, () => other.post()));
    expect(raw.connections).toBe(8);
  });

  it('to a pod survive errors, and streams that came to their end', async () => {
    await using raw = await RawPod.start();
    await using other = await startProxy([raw]);
    const chunk = 'data: 1\n\n';
    const stream = `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n${chunk}\r\n0\r\n\r\n`;
    raw.behaviour = (_asked, socket) => void socket.write(stream);
    expect(await (await other.post()).text()).toBe(chunk);
    raw.behaviour = (_asked, socket) => void socket.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}');
    expect((await other.post()).status).toBe(400);
    raw.behaviour = answerOk;
    expect((await other.post()).status).toBe(200);
    expect(raw.connections).toBe(1);
  });
});
