/** What operators see: metrics, logs, the OpenAPI page. */
import { METRICS, type MetricEntry } from '@ragscale/service/metric-catalogue';
import type { RequestEnd, RequestHeaders, Tracing } from '@ragscale/service/tracing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PodFixture, startPod, until } from './pod-fixture.ts';

let pod: PodFixture;

beforeAll(async () => {
  pod = await startPod({ env: { OBJECTIVE: '1500ms' } });
});
afterAll(() => pod[Symbol.asyncDispose]());

async function lineOf(requestId: string): Promise<Record<string, unknown>> {
  await until(() => pod.log.some((line) => line.requestId === requestId && line.msg === 'request'));
  return pod.log.find((line) => line.requestId === requestId && line.msg === 'request') ?? {};
}

describe('metrics', () => {
  it('come in the text format, with a bound on the objective', async () => {
    await pod.post({ query: 'hover' });
    const response = await fetch(`${pod.url}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toContain(
      'ragscale_request_duration_seconds_bucket{le="1.5",variant="baseline",route="/rag",status="200"}',
    );
  });

  it('carry only what the catalogue says, and never what was asked', async () => {
    await pod.post({ query: 'confidential' });
    await pod.post({ query: 'confidential', extra: 'confidential' });
    await fetch(`${pod.url}/confidential?query=confidential`);
    const text = await pod.metrics();
    expect(text).not.toContain('confidential');
    expect(text).toContain('route="unmatched"');
    const labels = new Map(Object.values<MetricEntry>(METRICS).map((entry) => [entry.name, entry.labels]));
    for (const [, name = '', pairs = ''] of text.matchAll(/^(ragscale_\w+?)(?:_bucket|_sum|_count)?\{(.*)\} /gm)) {
      const found = [...pairs.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le');
      expect(found, name).toEqual(labels.get(name as MetricEntry['name']));
    }
  });

  it('count refusals by their code', async () => {
    await pod.post({ query: 'a', k: 0 });
    expect(await pod.metrics()).toMatch(/ragscale_rejected_total\{variant="baseline",reason="invalid_request"\} [1-9]/);
  });
});

describe('the log', () => {
  it('has one line per request: id, route, status, times and counts, never the text', async () => {
    await pod.post({ query: 'a secret question' }, { 'x-request-id': 'log-1', authorization: 'Bearer secret' });
    const line = await lineOf('log-1');
    expect(line).toMatchObject({
      level: 'info',
      method: 'POST',
      route: '/rag',
      status: 200,
      queryLength: 17,
      k: 2,
      promptTokens: 10,
      generatedTokens: 3,
    });
    expect(Object.keys(line.stagesMs as object)).toEqual(['queue', 'embed', 'retrieve', 'prefill', 'decode']);
    expect(pod.log.filter((entry) => entry.requestId === 'log-1')).toHaveLength(1);
    expect(JSON.stringify(pod.log)).not.toContain('secret');
  });

  it('names the error of a refusal', async () => {
    await pod.post({ query: 'a', k: 0 }, { 'x-request-id': 'log-2' });
    expect(await lineOf('log-2')).toMatchObject({ status: 400, errorCode: 'invalid_request', param: 'k' });
  });

  it('keeps the fault of a 500 that the client is not told', async () => {
    pod.engine.beforeAnswer = async () => {
      throw new Error('an internal detail');
    };
    const response = await pod.post({ query: 'a' }, { 'x-request-id': 'log-3' });
    pod.engine.beforeAnswer = async () => {};
    expect(response.status).toBe(500);
    const body = await response.text();
    expect(body).toContain('"code":"internal"');
    expect(body).not.toContain('detail');
    const fault = pod.log.find((line) => line.requestId === 'log-3' && line.level === 'error');
    expect(fault).toMatchObject({ err: { message: 'an internal detail', stack: expect.any(String) } });
  });

  it('is quiet about probes', async () => {
    await fetch(`${pod.url}/livez`, { headers: { 'x-request-id': 'log-4' } });
    expect(await lineOf('log-4')).toMatchObject({ level: 'debug' });
  });
});

describe('/docs', () => {
  it('is a page whose every part comes from this server', async () => {
    const page = await fetch(`${pod.url}/docs`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const html = await page.text();
    const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, part = '']) => new URL(part, `${pod.url}/docs/`),
    );
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) {
      expect(part.origin).toBe(pod.url);
      expect((await fetch(part)).status, part.pathname).toBe(200);
    }
  });

  it('describes what validates, with limits and errors, and every way of asking', async () => {
    const document = (await (await fetch(`${pod.url}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<
        string,
        { post: { requestBody: { content: Record<string, { schema: object }> }; responses: Record<string, object> } }
      >;
    };
    expect(document.openapi).toBe('3.1.0');
    const { requestBody, responses } = document.paths['/rag']?.post ?? expect.fail('no POST /rag');
    expect(requestBody.content['application/json']?.schema).toMatchObject({
      required: ['query'],
      additionalProperties: false,
      properties: {
        query: { type: 'string', maxLength: 8192 },
        k: { type: 'integer', minimum: 1, maximum: 20, default: 2 },
      },
    });
    expect(Object.keys(responses)).toEqual(['200', '400', '413', '415', '429', '500', '502', '503', '504']);
    expect(Object.keys(document.paths).filter((path) => path.startsWith('/v1'))).toEqual([
      '/v1/chat/completions',
      '/v1/embeddings',
      '/v1/models',
      '/v1/models/{id}',
    ]);
    expect(document.paths['/v1/chat/completions']?.post.requestBody.content['application/json']?.schema).toMatchObject({
      required: ['model', 'messages'],
      properties: { messages: { maxItems: 256 }, k: { anyOf: [{ minimum: 1, maximum: 20 }, { type: 'null' }] } },
    });
    expect(document.paths['/rag']?.post.responses[200]).toMatchObject({
      content: { 'application/json': {}, 'text/event-stream': {} },
    });
  });
});

describe('a trace', () => {
  it('has the stages of the answer where they were, the parent of the request, and its id in the log', async () => {
    const begun: { name: string; headers: RequestHeaders }[] = [];
    const ended: RequestEnd[] = [];
    const tracing: Tracing = {
      begin: (headers, name) => {
        begun.push({ name, headers });
        return {
          traceId: 'a'.repeat(32),
          spanId: 'b'.repeat(16),
          sampled: true,
          traceparent: '',
          tracestate: undefined,
          end: (end) => ended.push(end),
        };
      },
      shutDown: async () => {},
    };
    await using traced = await startPod({ tracing });
    const before = Date.now();
    await traced.post({ query: 'hover' }, { traceparent: 'given' });
    await traced.post({ query: '' });
    await traced.metrics();
    await until(() => ended.length === 2);
    expect(begun.map(({ name }) => name)).toEqual(['POST /rag', 'POST /rag']);
    expect(begun[0]?.headers.traceparent).toBe('given');
    const [good, bad] = ended as [RequestEnd, RequestEnd];
    expect(good.stages.map(({ name }) => name)).toEqual(['queue', 'embed', 'retrieve', 'queue', 'prefill', 'decode']);
    for (const [index, stage] of good.stages.entries()) {
      expect(stage.startMs).toBeGreaterThanOrEqual(good.stages[index - 1]?.endMs ?? before);
      expect(stage.endMs).toBeGreaterThanOrEqual(stage.startMs);
    }
    expect(good).toMatchObject({
      status: 200,
      attributes: { 'http.request.method': 'POST', 'http.route': '/rag', 'gen_ai.usage.output_tokens': 3 },
    });
    expect(bad).toMatchObject({ status: 400, error: 'invalid_request', stages: [] });
    expect(JSON.stringify(ended)).not.toContain('hover');
    expect(traced.log.find(({ msg }) => msg === 'request')).toMatchObject({ traceId: 'a'.repeat(32) });
  });
});
