/** What a real Prometheus makes of the proxy's metrics. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { missingPrograms, objectionsTo, PrometheusServer, whereMissing } from '../../../test/support/prometheus.ts';
import { answerError, FakePod } from './fake-pod.ts';
import { type ProxyFixture, startProxy } from './proxy-fixture.ts';

const skipped = missingPrograms.length > 0;

let pod: FakePod;
let proxy: ProxyFixture;
beforeAll(async () => {
  pod = await FakePod.start();
  proxy = await startProxy([pod]);
  for (let i = 0; i < 5; i++) await (await proxy.post()).text();
  pod.behaviour = answerError(400, 'invalid_request');
  await (await proxy.post()).text();
  await (await fetch(`${proxy.url}/metrics`)).text();
});
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await pod?.[Symbol.asyncDispose]();
});

it.skipIf(skipped)(`promtool finds nothing to object to${whereMissing}`, async () => {
  expect(await objectionsTo(await proxy.metrics())).toEqual([]);
});

it.skipIf(skipped)(`Prometheus has arrivals, outcomes and durations by route${whereMissing}`, async () => {
  await using prometheus = await PrometheusServer.start([new URL(proxy.adminUrl).host]);
  expect(await prometheus.firstValue('up')).toBe(1);
  expect(await prometheus.firstValue('ragscale_proxy_arrivals_total{route="default"}')).toBe(7);
  expect(await prometheus.firstValue('ragscale_proxy_requests_total{status="200"}')).toBe(5);
  expect(await prometheus.firstValue('ragscale_proxy_requests_total{status="404"}')).toBe(1);
  expect(await prometheus.firstValue('ragscale_proxy_rejected_total{reason="not_found"}')).toBe(1);
  expect(await prometheus.firstValue('ragscale_proxy_request_duration_seconds_bucket{status="200",le="2"}')).toBe(5);
  expect(await prometheus.firstValue('ragscale_proxy_upstream_duration_seconds_count')).toBe(6);
  expect(await prometheus.firstValue('ragscale_proxy_endpoints{state="healthy"}')).toBe(1);
});
