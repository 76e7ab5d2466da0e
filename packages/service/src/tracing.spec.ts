import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigurationError } from './environment.ts';
import { openTracing, type RequestEnd, type Tracing } from './tracing.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';
const START = 1_763_800_000_000.25;

/** What a server says after an answer, in the words of the semantic conventions. */
const ANSWERED: RequestEnd = {
  status: 200,
  endedAtMs: START + 40.5,
  stages: [
    { name: 'embed', startMs: START + 1, endMs: START + 3.5 },
    { name: 'decode', startMs: START + 3.5, endMs: START + 40 },
  ],
  attributes: {
    'http.request.method': 'POST',
    'gen_ai.usage.input_tokens': 57,
    'gen_ai.response.finish_reasons': ['stop'],
    'server.ready': true,
  },
};

const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

describe('a traced request', () => {
  it('arrives as a server span with its stages as children', async () => {
    const receiver = await startReceiver();
    const tracing = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    const span = tracing.begin({}, 'POST /rag', START);
    span.end(ANSWERED);
    span.end({ ...ANSWERED, status: 500 });
    await tracing.shutDown(5_000);
    const [root, embed, decode, ...more] = receiver.spans();
    expect(more).toEqual([]);
    expect(root).toMatchObject({
      traceId: span.traceId,
      spanId: span.spanId,
      parentId: '',
      name: 'POST /rag',
      kind: 2,
      startNs: 1_763_800_000_000_250_000n,
      endNs: 1_763_800_000_040_750_000n,
      statusCode: 0,
      attributes: { ...ANSWERED.attributes, 'http.response.status_code': 200 },
    });
    expect([embed?.name, decode?.name]).toEqual(['embed', 'decode']);
    expect([embed?.parentId, decode?.parentId]).toEqual([span.spanId, span.spanId]);
    expect([embed?.traceId, embed?.kind]).toEqual([span.traceId, 1]);
    expect([embed?.startNs, embed?.endNs]).toEqual([1_763_800_000_001_250_000n, 1_763_800_000_003_750_000n]);
  });

  it('says whose it is', async () => {
    const receiver = await startReceiver();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_RESOURCE_ATTRIBUTES: 'k8s.pod.name=rag-0' };
    await send(await open(env));
    await send(await open({ ...env, OTEL_SERVICE_NAME: 'answers' }));
    const [own, named] = receiver.resources();
    expect(own).toMatchObject({ 'service.name': 'test', 'service.version': '1.2.3', 'k8s.pod.name': 'rag-0' });
    expect(own?.['telemetry.sdk.language']).toBe('nodejs');
    expect(own?.['service.instance.id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(named?.['service.name']).toBe('answers');
  });

  it('is an error from status 500 on, and has the code of the error in any case', async () => {
    const receiver = await startReceiver();
    const tracing = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    const ends = [
      { status: 400, error: 'invalid_request' },
      { status: 504, error: 'deadline_exceeded' },
      { status: 500 },
    ];
    for (const end of ends) tracing.begin({}, 'POST /rag', START).end({ ...ANSWERED, stages: [], ...end });
    await tracing.shutDown(5_000);
    const seen = receiver.spans().map(({ statusCode, attributes }) => [statusCode, attributes['error.type']]);
    expect(seen).toEqual([
      [0, 'invalid_request'],
      [2, 'deadline_exceeded'],
      [2, '500'],
    ]);
  });

  it('keeps clocks that jump and endless strings in bounds', async () => {
    const receiver = await startReceiver();
    const tracing = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    const stages = [
      { name: 'backwards', startMs: START + 5, endMs: START },
      { name: 'never', startMs: Number.NaN, endMs: START },
    ];
    const attributes = { long: 'x'.repeat(10_000) };
    tracing.begin({}, 'POST /rag', START).end({ status: 200, endedAtMs: START - 5, stages, attributes });
    await tracing.shutDown(5_000);
    const spans = receiver.spans();
    expect(spans.map(({ name, startNs, endNs }) => [name, endNs - startNs])).toEqual([
      ['POST /rag', 0n],
      ['backwards', 0n],
    ]);
    expect(spans[0]?.attributes.long).toHaveLength(256);
  });

  it('sends headers and compresses as it is told', async () => {
    const receiver = await startReceiver();
    const env = { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc', OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' };
    await send(await open({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env }));
    expect(receiver.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer abc',
      'content-encoding': 'gzip',
      'content-type': 'application/x-protobuf',
    });
    expect(receiver.spans()).toHaveLength(3);
  });
});

describe('the parent of a request', () => {
  it.each([
    ['one', `00-${TRACE_ID}-${PARENT_ID}-01`],
    ['one of a later version', `01-${TRACE_ID}-${PARENT_ID}-01-more`],
    ['one with more flags', `00-${TRACE_ID}-${PARENT_ID}-03`],
  ])('comes from a traceparent: %s', async (_, traceparent) => {
    const receiver = await startReceiver();
    const tracing = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    const span = tracing.begin({ traceparent, tracestate: 'vendor=1,other=2' }, 'POST /rag', START);
    span.end({ ...ANSWERED, stages: [] });
    await tracing.shutDown(5_000);
    expect(span.traceId).toBe(TRACE_ID);
    expect(span.traceparent).toBe(`00-${TRACE_ID}-${span.spanId}-01`);
    expect(span.tracestate).toBe('vendor=1,other=2');
    expect(receiver.spans()[0]).toMatchObject({ traceId: TRACE_ID, parentId: PARENT_ID });
  });

  it.each([
    '',
    'nonsense',
    `00-${TRACE_ID}-${PARENT_ID}`,
    `00-${TRACE_ID}-${PARENT_ID}-01-more`,
    `ff-${TRACE_ID}-${PARENT_ID}-01`,
    `00-${TRACE_ID.toUpperCase()}-${PARENT_ID}-01`,
    `00-${'0'.repeat(32)}-${PARENT_ID}-01`,
    `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
    // What Node makes of the header twice.
    `00-${TRACE_ID}-${PARENT_ID}-01, 00-${TRACE_ID}-${PARENT_ID}-01`,
  ])('is none with a malformed traceparent: %s', async (traceparent) => {
    const receiver = await startReceiver();
    const tracing = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    const span = tracing.begin({ traceparent, tracestate: 'vendor=1' }, 'POST /rag', START);
    span.end({ ...ANSWERED, stages: [] });
    await tracing.shutDown(5_000);
    expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(span.traceId).not.toBe(TRACE_ID);
    expect(span.tracestate).toBeUndefined();
    expect(receiver.spans()[0]).toMatchObject({ traceId: span.traceId, parentId: '' });
  });

  it('is never a reason to fail, whatever the headers hold', async () => {
    const tracing = await open({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_TRACES_SAMPLER: 'always_off',
    });
    const value = fc.oneof(fc.string(), fc.array(fc.string()), fc.constant(undefined));
    fc.assert(
      fc.property(value, value, (traceparent, tracestate) => {
        const span = tracing.begin({ traceparent, tracestate }, 'POST /rag', START);
        expect(span.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
        span.end(ANSWERED);
      }),
    );
  });
});

describe('sampling', () => {
  const sampled = `00-${TRACE_ID}-${PARENT_ID}-01`;
  const unsampled = `00-${TRACE_ID}-${PARENT_ID}-00`;

  it.each([
    ['parentbased_always_on', '1', undefined, true],
    ['parentbased_always_on', '1', unsampled, false],
    ['parentbased_always_off', '1', undefined, false],
    ['parentbased_always_off', '1', sampled, true],
    ['parentbased_traceidratio', '0', undefined, false],
    ['parentbased_traceidratio', '0', sampled, true],
    ['traceidratio', '0', sampled, false],
    ['traceidratio', '1', unsampled, true],
    ['always_off', '1', sampled, false],
    ['always_on', '1', unsampled, true],
  ])('%s of %s with traceparent %s: %s', async (sampler, ratio, traceparent, kept) => {
    const receiver = await startReceiver();
    const env = { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: ratio };
    const tracing = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env });
    const span = tracing.begin({ traceparent }, 'POST /rag', START);
    span.end(ANSWERED);
    await tracing.shutDown(5_000);
    expect(span.sampled).toBe(kept);
    expect(span.traceparent.endsWith(kept ? '-01' : '-00')).toBe(true);
    // Children too: a trace is kept whole or not at all.
    expect(receiver.spans()).toHaveLength(kept ? 3 : 0);
    if (traceparent !== undefined) expect(span.traceId).toBe(TRACE_ID);
  });
});

describe('without an endpoint', () => {
  it('there is no tracing, whatever else is set', async () => {
    expect(await openTracing({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, options([]))).toBeUndefined();
  });

  it('nothing is imported', async () => {
    expect(await packagesLoadedWith({})).toBe(0);
    expect(await packagesLoadedWith({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://h', OTEL_SDK_DISABLED: 'true' })).toBe(0);
    expect(await packagesLoadedWith({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://h' })).toBeGreaterThan(4);
  });

  it('a wrong one is an error of the configuration', async () => {
    const opening = openTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, options([]));
    await expect(opening).rejects.toThrow(ConfigurationError);
    await expect(opening).rejects.toThrow('OTEL_EXPORTER_OTLP_ENDPOINT="collector:4318": must be');
  });
});

describe('an endpoint that does not work', () => {
  it.each<[string, RequestListener, RegExp]>([
    ['refuses', (_, response) => response.writeHead(401).end(), /could not be exported to http:.*: Unauthorized 401$/],
    ['says nonsense', (_, response) => response.writeHead(400).end('<html>'), /: Bad Request 400$/],
    ['hangs up', (request) => request.socket.destroy(), /: (socket hang up|read) ECONNRESET$/],
  ])('and %s is reported once', async (_, listener, message) => {
    const receiver = await startReceiver(listener);
    const said: string[] = [];
    const env = { OTEL_EXPORTER_OTLP_TIMEOUT: '300', OTEL_BSP_SCHEDULE_DELAY: '10' };
    const tracing = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env }, said);
    for (let i = 0; i < 3; i++) {
      const before = receiver.requests.length;
      tracing.begin({}, 'POST /rag', START).end(ANSWERED);
      await expect.poll(() => receiver.requests.length, { timeout: 5_000 }).toBeGreaterThan(before);
    }
    await tracing.shutDown(5_000);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(message);
    expect(said[0]).toContain(receiver.url);
  });

  it('and answers partly is reported: spans that the collector rejects are lost', async () => {
    // ExportTraceServiceResponse { partial_success { rejected_spans: 3, error_message: "full" } }
    const partial = Buffer.from([0x0a, 8, 0x08, 3, 0x12, 4, 0x66, 0x75, 0x6c, 0x6c]);
    const receiver = await startReceiver((_, response) => response.end(partial));
    const said: string[] = [];
    await send(await open({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }, said));
    expect(said.join()).toMatch(/Partial Success.*full/i);
  });

  it('and is not there costs the process neither time nor memory, and ends in time', async () => {
    const silent = await startReceiver(() => undefined);
    const said: string[] = [];
    const env = { OTEL_BSP_MAX_QUEUE_SIZE: '60', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '30' };
    const tracing = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: silent.url, ...env }, said);
    const started = performance.now();
    for (let i = 0; i < 10_000; i++) tracing.begin({}, 'POST /rag', START).end(ANSWERED);
    // A hundred microseconds each would be a second.
    expect(performance.now() - started).toBeLessThan(1_000);
    const ending = performance.now();
    await tracing.shutDown(200);
    await tracing.shutDown(60_000);
    expect(performance.now() - ending).toBeLessThan(1_000);
    expect(said[0]).toMatch(/^a trace was dropped: \d+ spans wait/);
    const lost = Number(/^(\d+) spans were not yet exported/.exec(said[1] ?? '')?.[1]);
    // The queue, and the one batch that is on its way.
    expect(lost).toBeLessThanOrEqual(60 + 30);
    expect(said).toHaveLength(2);
  });

  it('and refuses connections lets the end come in time', async () => {
    const said: string[] = [];
    const tracing = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }, said);
    const started = performance.now();
    tracing.begin({}, 'POST /rag', START).end(ANSWERED);
    await tracing.shutDown(100);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(said).toEqual(['3 spans were not yet exported to http://127.0.0.1:1/v1/traces at the end']);
  });

  it('takes nothing after the end', async () => {
    const receiver = await startReceiver();
    const tracing = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    const span = tracing.begin({}, 'POST /rag', START);
    await tracing.shutDown(1_000);
    span.end(ANSWERED);
    tracing.begin({}, 'POST /rag', START).end(ANSWERED);
    expect(receiver.requests).toEqual([]);
  });
});

function options(said: string[]) {
  return { serviceName: 'test', serviceVersion: '1.2.3', onError: (message: string) => void said.push(message) };
}

async function open(env: NodeJS.ProcessEnv, said: string[] = []): Promise<Tracing> {
  const tracing = await openTracing(env, options(said));
  if (tracing === undefined) throw new Error('tracing is off');
  cleanup.push(() => tracing.shutDown(0));
  return tracing;
}

async function send(tracing: Tracing): Promise<void> {
  tracing.begin({}, 'POST /rag', START).end(ANSWERED);
  await tracing.shutDown(5_000);
}

/** How many modules of OpenTelemetry a process of its own resolves that opens tracing. */
async function packagesLoadedWith(env: Record<string, string>): Promise<number> {
  const code = `
    import { registerHooks } from 'node:module';
    let count = 0;
    registerHooks({ resolve: (name, context, next) => {
      if (name.startsWith('@opentelemetry/')) count += 1;
      return next(name, context);
    } });
    const { openTracing } = await import(${JSON.stringify(new URL('./tracing.ts', import.meta.url).href)});
    await openTracing(process.env, { serviceName: 'a', serviceVersion: '1', onError: () => {} });
    console.log(count);`;
  const flags = ['--conditions=source', '--input-type=module', '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { env });
  return Number(stdout);
}

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An OTLP endpoint in this process. The real collector is in test/tracing.system.ts. */
async function startReceiver(answer: RequestListener = (_, response) => response.end()) {
  const requests: Received[] = [];
  const server: Server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const raw = Buffer.concat(parts);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    requests.push({ headers: request.headers, body });
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const resourceSpans = () => requests.flatMap(({ body }) => messages(body, 1));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    resources: () => resourceSpans().map((part) => attributesOf(messages(part, 1)[0] ?? Buffer.alloc(0), 1)),
    /** The parent before its children. */
    spans: () =>
      resourceSpans()
        .flatMap((part) => messages(part, 2))
        .flatMap((part) => messages(part, 2))
        .map(spanOf)
        .sort((a, b) => Number(b.kind === 2) - Number(a.kind === 2) || Number(a.startNs - b.startNs)),
  };
}

/** Fields of opentelemetry/proto/trace/v1/trace.proto. */
function spanOf(message: Buffer) {
  const fields = fieldsOf(message);
  const bytes = (id: number): Buffer => (fields.find((field) => field.id === id)?.value as Buffer) ?? Buffer.alloc(0);
  const number = (id: number): bigint => (fields.find((field) => field.id === id)?.value as bigint) ?? 0n;
  const status = fieldsOf(bytes(15)).find((field) => field.id === 3)?.value ?? 0n;
  return {
    traceId: bytes(1).toString('hex'),
    spanId: bytes(2).toString('hex'),
    parentId: bytes(4).toString('hex'),
    name: bytes(5).toString(),
    kind: Number(number(6)),
    startNs: number(7),
    endNs: number(8),
    attributes: attributesOf(message, 9),
    statusCode: Number(status),
  };
}

function attributesOf(message: Buffer, id: number): Record<string, unknown> {
  return Object.fromEntries(
    messages(message, id).map((pair) => [messages(pair, 1)[0]?.toString(), anyValue(messages(pair, 2)[0])]),
  );
}

/** opentelemetry/proto/common/v1/common.proto, AnyValue. */
function anyValue(message: Buffer | undefined): unknown {
  const [field] = fieldsOf(message ?? Buffer.alloc(0));
  switch (field?.id) {
    case 1:
      return field.value.toString();
    case 2:
      return field.value === 1n;
    case 5:
      return messages(field.value as Buffer, 1).map(anyValue);
    default:
      return Number(field?.value);
  }
}

const messages = (message: Buffer, id: number): Buffer[] =>
  fieldsOf(message).flatMap((field) => (field.id === id ? [field.value as Buffer] : []));

/** https://protobuf.dev/programming-guides/encoding/ */
function fieldsOf(message: Buffer): { readonly id: number; readonly value: bigint | Buffer }[] {
  const fields: { id: number; value: bigint | Buffer }[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const id = tag >> 3;
    switch (tag & 7) {
      case 0:
        fields.push({ id, value: varint() });
        break;
      case 1:
        fields.push({ id, value: message.readBigUInt64LE(at) });
        at += 8;
        break;
      case 2: {
        const length = Number(varint());
        fields.push({ id, value: message.subarray(at, at + length) });
        at += length;
        break;
      }
      default:
        at += 4;
    }
  }
  return fields;
}
