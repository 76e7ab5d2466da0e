/** Does every response say how many questions the pod works on at once? */
import { SLOTS_HEADER } from '@ragscale/service/ragscale-headers';
import { expect, it } from 'vitest';
import { startPod } from './pod-fixture.ts';

const slotsOf = (response: Response): string | null => response.headers.get(SLOTS_HEADER);

it('is in answers, streams, refusals and probes once the pod is ready, and in none before', async () => {
  await using pod = await startPod({ env: { VARIANT: 'batched', SLOTS: '6' }, unstarted: true });
  expect(slotsOf(await fetch(`${pod.url}/readyz`))).toBeNull();
  expect(slotsOf(await pod.post({ query: 'a' }))).toBeNull();

  await pod.pod.start();
  const answer = await pod.post({ query: 'a' });
  expect([answer.status, slotsOf(answer)]).toEqual([200, '6']);
  const stream = await pod.post({ query: 'a', stream: true });
  expect([stream.headers.get('content-type'), slotsOf(stream)]).toEqual(['text/event-stream; charset=utf-8', '6']);
  await stream.text();
  const refusal = await pod.post({ query: '' });
  expect([refusal.status, slotsOf(refusal)]).toEqual([400, '6']);
  for (const path of ['/readyz', '/livez', '/metrics', '/v1/models', '/nowhere', '/%ff'])
    expect(slotsOf(await fetch(`${pod.url}${path}`)), path).toBe('6');
});

it('is 1 of the baseline, whatever the engine could do', async () => {
  await using pod = await startPod();
  expect(slotsOf(await fetch(`${pod.url}/readyz`))).toBe('1');
});
