/** What a trace tells of a request, and what the pod is told of the trace. */
import type { RequestEnd, Tracing } from '@ragscale/service/tracing';
import { expect, it } from 'vitest';
import { answerError, answerJson, FakePod } from './fake-pod.ts';
import { startProxy, until } from './proxy-fixture.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;

function recorder(): { tracing: Tracing; ends: RequestEnd[]; parents: unknown[] } {
  const ends: RequestEnd[] = [];
  const parents: unknown[] = [];
  const tracing: Tracing = {
    begin: ({ traceparent }) => {
      parents.push(traceparent);
      const end = (each: RequestEnd) => void ends.push(each);
      const ids = { traceId: TRACE_ID, spanId: '00f067aa0ba902b7', sampled: true };
      return { ...ids, traceparent: TRACEPARENT, tracestate: 'vendor=1', end };
    },
    shutDown: async () => undefined,
  };
  return { tracing, ends, parents };
}

it('the pod continues the span of the proxy, which has the wait and the pod as stages', async () => {
  const { tracing, ends, parents } = recorder();
  await using pod = await FakePod.start();
  await using proxy = await startProxy([pod], {}, tracing);
  const parent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  await (await proxy.post({ query: 'q' }, { traceparent: parent, tracestate: 'other=2' })).text();
  await until(() => ends.length === 1);
  expect(parents).toEqual([parent]);
  expect(pod.asked[0]?.headers).toMatchObject({ traceparent: TRACEPARENT, tracestate: 'vendor=1' });
  const { status, stages, attributes, endedAtMs } = ends[0]!;
  expect([status, attributes]).toEqual([200, { 'http.request.method': 'POST', 'http.route': 'default' }]);
  expect(stages.map(({ name }) => name)).toEqual(['wait', 'upstream']);
  const [wait, upstream] = stages;
  const times = [wait!.startMs, wait!.endMs, upstream!.startMs, upstream!.endMs, endedAtMs];
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(proxy.log.find(({ msg }) => msg === 'request')).toMatchObject({ traceId: TRACE_ID });
});

it('a refused request has a span with its error and no stage at a pod', async () => {
  const { tracing, ends } = recorder();
  await using pod = await FakePod.start();
  await using proxy = await startProxy([pod], {}, tracing);
  await (await fetch(`${proxy.url}/metrics`)).text();
  await until(() => ends.length === 1);
  expect(ends[0]).toMatchObject({ status: 404, error: 'not_found' });
  expect(ends[0]?.stages.map(({ name }) => name)).toEqual(['wait']);
});

it('a retried request has one span', async () => {
  const { tracing, ends } = recorder();
  await using bad = await FakePod.start();
  await using good = await FakePod.start();
  bad.behaviour = answerError(500, 'internal');
  good.behaviour = answerJson;
  await using proxy = await startProxy([bad, good], {}, tracing);
  for (let index = 0; index < 2; index += 1) expect((await proxy.post()).status).toBe(200);
  await until(() => ends.length === 2);
  // Whose turn is the first is not said: at least one of the two began at the bad one.
  expect([bad.asked.length > 0, good.asked.length]).toEqual([true, 2]);
  expect(ends.map(({ status }) => status)).toEqual([200, 200]);
});
