import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { ErrorReports, SpanOutlet } from './tracing-outlet.ts';

/** As many spans; none of their fields is read. */
const spans = (count: number): ReadableSpan[] => Array.from({ length: count }, () => ({}) as ReadableSpan);

function outletTo(exporter: Partial<SpanExporter>, capacity = 10): { outlet: SpanOutlet; said: string[] } {
  const said: string[] = [];
  const reports = new ErrorReports((message) => said.push(message));
  const whole = { export: () => undefined, shutdown: () => Promise.resolve(), ...exporter };
  return { outlet: new SpanOutlet({ exporter: whole, capacity, destination: 'http://there', reports }), said };
}

describe('reports of errors', () => {
  it('come at most once a minute and count what was left out', () => {
    const said: string[] = [];
    let now = 0;
    const reports = new ErrorReports(
      (message) => said.push(message),
      () => now,
    );
    for (now = 0; now < 180_000; now += 1_000) reports.report(`at ${now / 1000}`);
    expect(said).toEqual(['at 0', 'at 60; 59 more since the last report', 'at 120; 59 more since the last report']);
  });

  it('are short', () => {
    const said: string[] = [];
    new ErrorReports((message) => said.push(message)).report('x'.repeat(10_000));
    expect(said[0]).toHaveLength(303);
  });
});

describe('the outlet of spans', () => {
  it('takes whole traces only, and again once there is room', () => {
    const { outlet, said } = outletTo({ export: (_, done) => done({ code: 0 }) });
    expect([outlet.admits(6), outlet.admits(6), outlet.admits(4)]).toEqual([true, false, true]);
    expect(said).toEqual(['a trace was dropped: 6 spans wait for their export already']);
    outlet.export(spans(10), () => undefined);
    expect(outlet.admits(6)).toBe(true);
  });

  it.each<[string, SpanExporter['export'], RegExp]>([
    ['fails', (_, done) => done({ code: 1, error: new Error('connect ECONNREFUSED') }), /: connect ECONNREFUSED$/],
    [
      'fails with a status',
      (_, done) => done({ code: 1, error: withCode('Unauthorized', 401) }),
      /: Unauthorized 401$/,
    ],
    ['fails at every address', (_, done) => done({ code: 1, error: withCode('', 'ECONNREFUSED') }), /: ECONNREFUSED$/],
    ['fails and says nothing', (_, done) => done({ code: 1 }), /: no reason was given$/],
    [
      'throws',
      () => {
        throw new RangeError('not a number');
      },
      /: not a number$/,
    ],
  ])('reports once that an export %s, and hides it from the processor', (_, exportSpans, message) => {
    const { outlet, said } = outletTo({ export: exportSpans });
    const results: unknown[] = [];
    outlet.admits(3);
    outlet.export(spans(3), (result) => results.push(result));
    expect(results).toEqual([{ code: 0 }]);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^3 spans could not be exported to http:\/\/there/);
    expect(said[0]).toMatch(message);
  });

  it('closes in time though the exporter never ends, says what is lost, and takes nothing afterwards', async () => {
    const { outlet, said } = outletTo({});
    outlet.admits(5);
    outlet.export(spans(2), () => undefined);
    const started = performance.now();
    await outlet.close(() => new Promise(() => undefined), 50);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(said).toEqual(['5 spans were not yet exported to http://there at the end']);
    expect(outlet.admits(1)).toBe(false);
  });

  it('says nothing of an export that fails after the end', async () => {
    const fail: (() => void)[] = [];
    const { outlet, said } = outletTo({ export: (_, done) => void fail.push(() => done({ code: 1 })) });
    outlet.admits(1);
    outlet.export(spans(1), () => undefined);
    await outlet.close(() => new Promise(() => undefined), 1);
    fail[0]?.();
    expect(fail).toHaveLength(1);
    expect(said).toHaveLength(1);
  });

  it('survives a flush that fails', async () => {
    const { outlet, said } = outletTo({});
    await outlet.close(() => Promise.reject(new Error('broken')), 1_000);
    expect(said).toEqual(['broken']);
  });
});

function withCode(message: string, code: string | number): Error {
  return Object.assign(new Error(message), { code });
}
