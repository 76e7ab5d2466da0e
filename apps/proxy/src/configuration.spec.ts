import { describe, expect, it } from 'vitest';
import { readConfiguration } from './configuration.ts';
import { renderConfigurationPage } from './configuration-documentation.ts';

const BACKENDS = 'http://127.0.0.1:8000';

function messageOf(env: Record<string, string>): string {
  try {
    readConfiguration(env);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('the configuration', () => {
  it('needs to know where the pods are, and nothing else', () => {
    expect(readConfiguration({ BACKENDS })).toMatchObject({
      port: 9000,
      adminPort: 9001,
      adminHost: undefined,
      policy: 'round-robin',
      podConcurrency: undefined,
      proxies: 1,
      maxQueuedRequests: 2_048,
      requestTimeoutMs: 60_000,
      maxTries: 3,
      retryBudgetPercent: 20,
      tryTimeoutMs: 0,
      hedgePercentile: undefined,
      failOpenPercent: 50,
      publicPaths: ['/rag', '/v1/*', '/docs', '/docs/*', '/openapi.json'],
      objectiveSeconds: 2,
      apiKeysFile: undefined,
      routes: [
        { name: 'default', weight: 1, sources: [{ kind: 'static', host: '127.0.0.1', port: 8_000, weight: 1 }] },
      ],
    });
    expect(messageOf({})).toBe(
      'the configuration has an error:\n  BACKENDS is not set: write where the pods are, such as http://localhost:8000,http://localhost:8001',
    );
  });

  it('needs not even that where pods register', () => {
    expect(readConfiguration({ REGISTRATION: 'on' }).routes).toEqual([{ name: 'default', weight: 1, sources: [] }]);
  });

  it('has routes with weights', () => {
    const { routes } = readConfiguration({ BACKENDS: 'batched*3=http://a:1,http://b:2; baseline=k8s://rag/base:http' });
    expect(routes.map(({ name, weight, sources }) => [name, weight, sources.length])).toEqual([
      ['batched', 3, 2],
      ['baseline', 1, 1],
    ]);
  });

  it('takes names of headers in either case, and lists with spaces', () => {
    const { stickyHeader, publicPaths } = readConfiguration({
      BACKENDS,
      STICKY_HEADER: 'X-Conversation-Id',
      PUBLIC_PATHS: '/rag, /v1/*',
    });
    expect(stickyHeader).toBe('x-conversation-id');
    expect(publicPaths).toEqual(['/rag', '/v1/*']);
  });

  it('lists every bad variable at once', () => {
    const env = {
      PORT: 'http',
      ADMIN_PORT: '65536',
      REGISTRATION: 'yes',
      POLICY: 'random',
      STICKY_HEADER: 'a b',
      POD_CONCURRENCY: '0',
      PROXIES: '0',
      PROXY_SERVICE: 'http://a:1',
      MAX_QUEUED_REQUESTS: '-1',
      MAX_QUEUED_BYTES: 'many',
      REFUSE_BEYOND: 'never',
      REQUEST_TIMEOUT_MS: '0',
      MIN_REQUEST_TIMEOUT_MS: '0',
      MAX_REQUEST_TIMEOUT_MS: '3600001',
      MAX_TRIES: '0',
      RETRY_BUDGET_PERCENT: '101',
      TRY_TIMEOUT_MS: '1s',
      HEDGE_PERCENTILE: '49',
      HEDGE_BUDGET_PERCENT: '-5',
      PROBE_INTERVAL_MS: '49',
      PROBE_TIMEOUT_MS: '49',
      EJECTION_FAILURES: '0',
      EJECTION_MS: '99',
      FAIL_OPEN_PERCENT: '1.5',
      SLOW_START_MS: '-1',
      CONNECT_TIMEOUT_MS: '9',
      STREAM_IDLE_TIMEOUT_MS: 'off',
      PUBLIC_PATHS: 'rag',
      TRUSTED_HOPS: '11',
      MAX_BODY_BYTES: '0',
      BUFFERED_BODY_BYTES: '-1',
      MAX_BUFFERED_BYTES: '999',
      MAX_CONNECTIONS: '0',
      ACCESS_LOG_PERCENT: '200',
      OBJECTIVE: 'soon',
      DRAIN_DELAY_MS: 'x',
      SHUTDOWN_TIMEOUT_MS: 'x',
      LOG_LEVEL: 'loud',
      LOG_FORMAT: 'xml',
    };
    const message = messageOf({ BACKENDS, ...env });
    expect(message).toContain(`the configuration has ${Object.keys(env).length} errors:`);
    for (const [name, value] of Object.entries(env)) expect(message).toContain(`${name}="${value}": must be `);
    expect(message).toContain('POLICY="random": must be one of round-robin, least-request, two-choices, peak-ewma');
    expect(message).toContain('PROXY_SERVICE="http://a:1": must be k8s://[namespace/]service[:port]');
  });

  it.each([
    ['http://a:1,,x', 'BACKENDS: x: has no scheme; write http://host:8000'],
    ['https://a:1', 'BACKENDS: https://a:1: TLS towards the pods is not supported'],
    ['dns://a', 'BACKENDS: dns://a: has no port; write dns://a:8000'],
    ['a=http://a:1; http://b:1', 'one of several routes needs a name'],
    ['a=http://a:1; a=http://b:1', 'BACKENDS: the route a is named twice'],
    ['a*0=http://a:1', 'BACKENDS: every route has the weight 0'],
  ])('says what is wrong with BACKENDS=%s', (backends, message) => {
    expect(messageOf({ BACKENDS: backends })).toContain(message);
  });

  it.each(['/', '/rag,', ',', '/rag/*/x', '/a b', '*'])('takes no PUBLIC_PATHS=%s', (paths) => {
    expect(messageOf({ BACKENDS, PUBLIC_PATHS: paths })).toContain('PUBLIC_PATHS=');
  });

  it('wants the default deadline between the lowest and the highest, and two ports', () => {
    const message = messageOf({ BACKENDS, MAX_REQUEST_TIMEOUT_MS: '1000', PORT: '9000', ADMIN_PORT: '9000' });
    expect(message).toContain(
      'REQUEST_TIMEOUT_MS=60000: must lie between MIN_REQUEST_TIMEOUT_MS=1 and MAX_REQUEST_TIMEOUT_MS=1000',
    );
    expect(message).toContain('PORT=9000: must differ from ADMIN_PORT, which no client may reach');
    expect(readConfiguration({ BACKENDS, PORT: '0', ADMIN_PORT: '0' })).toMatchObject({ port: 0, adminPort: 0 });
  });

  it('is what docs/configuration-proxy.md says', async () => {
    await expect(renderConfigurationPage()).toMatchFileSnapshot('../../../docs/configuration-proxy.md');
  });
});
