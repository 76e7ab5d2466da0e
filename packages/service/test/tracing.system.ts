/** What a real OpenTelemetry Collector makes of the traces of a request. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openTracing, type Tracing } from '@ragscale/service/tracing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

/** Made by test/system/collector/build.sh. */
const cache = process.env.RAGSCALE_CACHE ?? path.join(homedir(), '.cache', 'ragscale');
const program = path.join(cache, 'otelcol', 'otelcol');
const missing = !existsSync(program);
const where = missing ? ` (skipped: ${program} is missing, see test/system/collector/build.sh)` : '';

const PARENT = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const TRACEPARENT = `00-${PARENT.traceId}-${PARENT.spanId}-01`;
/** 2025-11-22T08:00:00.00025Z */
const START = 1_763_798_400_000.25;
const STAGES = ['queue', 'embed', 'retrieve', 'prefill', 'decode'];

let collector: Collector;
let said: string[] = [];
const open: Tracing[] = [];

describe.skipIf(missing)(`a real collector${where}`, () => {
  beforeAll(async () => {
    collector = await prepareCollector();
    await collector.start();
  });
  afterAll(() => collector?.remove());
  afterEach(async () => {
    for (const tracing of open.splice(0)) await tracing.shutDown(0);
  });

  it('gets a request with its stages, parent, times and attributes', async () => {
    const env = { OTEL_RESOURCE_ATTRIBUTES: 'k8s.pod.name=rag-0', OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' };
    const tracing = await start(env);
    const request = tracing.begin({ traceparent: TRACEPARENT, tracestate: 'vendor=1' }, 'POST /rag', START);
    request.end({
      status: 200,
      endedAtMs: START + 41.5,
      stages: STAGES.map((name, i) => ({ name, startMs: START + 8 * i, endMs: START + 8 * i + 7.5 })),
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/rag',
        'gen_ai.usage.input_tokens': 57,
        'gen_ai.response.finish_reasons': ['stop'],
      },
    });
    await tracing.shutDown(5_000);
    const spans = await collector.spans(request.traceId, 6);
    const root = spans.find(({ kind }) => kind === 'Server');
    expect(root).toMatchObject({
      id: request.spanId,
      parentId: PARENT.spanId,
      name: 'POST /rag',
      traceState: 'vendor=1',
      start: '2025-11-22 08:00:00.00025 +0000 UTC',
      end: '2025-11-22 08:00:00.04175 +0000 UTC',
      status: 'Unset',
      attributes: {
        'http.request.method': 'Str(POST)',
        'http.route': 'Str(/rag)',
        'http.response.status_code': 'Int(200)',
        'gen_ai.usage.input_tokens': 'Int(57)',
        'gen_ai.response.finish_reasons': 'Slice(["stop"])',
      },
    });
    const stages = spans.filter(({ kind }) => kind === 'Internal');
    expect(stages.map(({ name }) => name)).toEqual(STAGES);
    expect(new Set(stages.map(({ parentId }) => parentId))).toEqual(new Set([request.spanId]));
    for (const { start, end } of stages) expect(microseconds(end) - microseconds(start)).toBe(7_500);
    expect(collector.printed()).toContain('-> k8s.pod.name: Str(rag-0)');
    expect(collector.printed()).toContain('-> service.name: Str(ragscale-test)');
    expect(said).toEqual([]);
  });

  it('gets an error as an error, without a parent where the caller had none', async () => {
    const tracing = await start();
    const request = tracing.begin({}, 'POST /rag', START);
    request.end({ status: 504, endedAtMs: START + 1, stages: [], attributes: {}, error: 'deadline_exceeded' });
    await tracing.shutDown(5_000);
    const [root] = await collector.spans(request.traceId, 1);
    expect(root).toMatchObject({ parentId: '', status: 'Error' });
    expect(root?.attributes['error.type']).toBe('Str(deadline_exceeded)');
  });

  it('gets every span of many requests, batch after batch', async () => {
    const tracing = await start({ OTEL_BSP_SCHEDULE_DELAY: '50', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '64' });
    const headers = { traceparent: '00-11111111111111111111111111111111-2222222222222222-01' };
    for (let i = 0; i < 300; i++) {
      const stages = STAGES.map((name) => ({ name, startMs: START, endMs: START + 1 }));
      tracing.begin(headers, 'POST /rag', START).end({ status: 200, endedAtMs: START + 1, stages, attributes: {} });
      if (i % 50 === 0) await delay(20);
    }
    await tracing.shutDown(10_000);
    const spans = await collector.spans('1'.repeat(32), 1_800);
    expect(new Set(spans.map(({ id }) => id)).size).toBe(1_800);
    expect(said).toEqual([]);
  });

  it('answers a wrong path with 404, and that is reported', async () => {
    const tracing = await start({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v2/spans` });
    tracing.begin({}, 'POST /rag', START).end({ status: 200, endedAtMs: START, stages: [], attributes: {} });
    await tracing.shutDown(5_000);
    expect(said).toEqual([`1 spans could not be exported to ${collector.url}/v2/spans: Not Found 404`]);
  });

  it('gets what was sent while it was away, and nothing is reported', async () => {
    await collector.stop();
    const tracing = await start({ OTEL_BSP_SCHEDULE_DELAY: '10' });
    const request = tracing.begin({}, 'POST /rag', START);
    request.end({ status: 200, endedAtMs: START + 1, stages: [], attributes: {} });
    await delay(500);
    await collector.start();
    expect(await collector.spans(request.traceId, 1)).toHaveLength(1);
    expect(said).toEqual([]);
  });
});

async function start(env: NodeJS.ProcessEnv = {}): Promise<Tracing> {
  said = [];
  const onError = (message: string) => void said.push(message);
  const options = { serviceName: 'ragscale-test', serviceVersion: '0.1.0', onError };
  const tracing = await openTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env }, options);
  if (tracing === undefined) throw new Error('tracing is off');
  open.push(tracing);
  return tracing;
}

interface Collector {
  readonly url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  remove(): Promise<void>;
  printed(): string;
  /** The spans of a trace, as soon as there are so many. */
  spans(traceId: string, count: number): Promise<PrintedSpan[]>;
}

async function prepareCollector(): Promise<Collector> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ragscale-collector-'));
  const port = await freePort();
  await writeFile(
    path.join(folder, 'config.yaml'),
    `receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:${port}'}}}}
exporters: {debug: {verbosity: detailed, use_internal_logger: false}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], exporters: [debug]}}
`,
  );
  let running: ChildProcess | undefined;
  let printed = '';
  const stop = async (): Promise<void> => {
    if (running === undefined) return;
    const ended = once(running, 'exit');
    running.kill('SIGTERM');
    running = undefined;
    await ended;
  };
  const started = async (): Promise<void> => {
    const collector = spawn(program, ['--config', path.join(folder, 'config.yaml')]);
    running = collector;
    collector.stdout.on('data', (part: Buffer) => {
      printed += part.toString();
    });
    let log = '';
    collector.stderr.on('data', (part: Buffer) => {
      log += part.toString();
    });
    for (let attempt = 0; attempt < 200 && !log.includes('Everything is ready'); attempt++) await delay(50);
    if (!log.includes('Everything is ready')) throw new Error(`the collector does not start:\n${log}`);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    start: started,
    stop,
    remove: async () => {
      await stop();
      await rm(folder, { recursive: true });
    },
    printed: () => printed,
    spans: async (traceId, count) => {
      for (let attempt = 0; attempt < 200; attempt++) {
        const spans = spansOf(printed).filter((span) => span.traceId === traceId);
        if (spans.length >= count) return spans;
        await delay(50);
      }
      throw new Error(`no ${count} spans of ${traceId} in 10 seconds; printed:\n${printed.slice(-4_000)}`);
    },
  };
}

interface PrintedSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId: string;
  readonly name: string;
  readonly kind: string;
  readonly traceState: string;
  readonly start: string;
  readonly end: string;
  readonly status: string;
  /** With the type as the collector prints it: `Int(57)`. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** What the debug exporter prints with detailed verbosity. */
function spansOf(printed: string): PrintedSpan[] {
  return printed
    .split(/^Span #\d+$/m)
    .slice(1)
    .map((whole) => {
      // The resource of the next export follows the last span of one.
      const block = whole.split(/^(?:Traces|ResourceSpans #\d+)\b/m)[0] ?? '';
      const field = (name: string): string => new RegExp(`^ {4}${name} *: (.*)$`, 'm').exec(block)?.[1]?.trim() ?? '';
      return {
        traceId: field('Trace ID'),
        id: field('ID'),
        parentId: field('Parent ID'),
        name: field('Name'),
        kind: field('Kind'),
        traceState: field('TraceState'),
        start: field('Start time'),
        end: field('End time'),
        status: field('Status code'),
        attributes: Object.fromEntries(
          [...block.matchAll(/^ +-> (.+?): (.*)$/gm)].map(([, name, value]) => [name, value]),
        ),
      };
    });
}

/** Of a time such as `2025-11-22 08:00:00.00025 +0000 UTC`, within its second. */
function microseconds(time: string): number {
  const fraction = /\.(\d+) /.exec(time)?.[1] ?? '';
  return Number(fraction.padEnd(6, '0'));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
