/** What a real Prometheus makes of a real pod's metrics. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PodProcess, startProcess } from '../../../test/support/pod-process.ts';
import { missingPrograms, objectionsTo, PrometheusServer, whereMissing } from '../../../test/support/prometheus.ts';

const skipped = missingPrograms.length > 0;

let pod: PodProcess;
beforeAll(async () => {
  pod = await startProcess();
  for (let i = 0; i < 5; i++) await (await pod.post({ query: 'Which animals can hover in the air?' })).text();
  await (await pod.post({ query: '' })).text();
});
afterAll(async () => {
  await pod?.stop();
});

it.skipIf(skipped)(`promtool finds nothing to object to${whereMissing}`, async () => {
  expect(await objectionsTo(await (await fetch(`${pod.url}/metrics`)).text())).toEqual([]);
});

it.skipIf(skipped)(`Prometheus scrapes the pod and computes its latency${whereMissing}`, async () => {
  await using prometheus = await PrometheusServer.start([`127.0.0.1:${pod.port}`]);
  const rag = 'ragscale_request_duration_seconds';
  expect(await prometheus.firstValue('up')).toBe(1);
  expect(await prometheus.firstValue(`sum(${rag}_count{route="/rag",status="200"})`)).toBe(5);
  expect(await prometheus.firstValue(`sum(${rag}_count{route="/rag",status="400"})`)).toBe(1);
  expect(await prometheus.firstValue('ragscale_slots')).toBe(1);
  expect(await prometheus.firstValue('sum(ragscale_tokens_total{kind="generated"})')).toBeGreaterThan(5);
  // The objective is a bound of its own: the share over it needs no interpolation.
  expect(await prometheus.firstValue(`sum(${rag}_bucket{route="/rag",status="200",le="2"})`)).toBe(5);
});
