import { describe, expect, it } from 'vitest';
import { ConfigurationError } from './environment.ts';
import { readTracingSettings } from './tracing-settings.ts';

const HERE = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('the environment of tracing', () => {
  it.each<[string, NodeJS.ProcessEnv]>([
    ['nothing', {}],
    ['an empty endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }],
    ['OTEL_SDK_DISABLED', { ...HERE, OTEL_SDK_DISABLED: 'TRUE' }],
    ['OTEL_TRACES_EXPORTER=none', { ...HERE, OTEL_TRACES_EXPORTER: 'none' }],
    ['mistakes without an endpoint', { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_TRACES_SAMPLER: 'never' }],
  ])('is off with %s', (_, env) => {
    expect(readTracingSettings(env)).toBeUndefined();
  });

  it('has the defaults of the specification', () => {
    expect(readTracingSettings(HERE)).toEqual({
      url: new URL('http://collector:4318/v1/traces'),
      headers: {},
      resource: {},
      disabled: 'false',
      exporter: 'otlp',
      protocol: 'http/protobuf',
      endpoint: 'http://collector:4318',
      timeoutMs: 10_000,
      compression: 'none',
      serviceName: undefined,
      sampler: 'parentbased_always_on',
      samplerRatio: 1,
      delayMs: 5_000,
      exportTimeoutMs: 30_000,
      maxQueueSpans: 2_048,
      maxBatchSpans: 512,
    });
  });

  it('is on for anything but true in OTEL_SDK_DISABLED', () => {
    expect(readTracingSettings({ ...HERE, OTEL_SDK_DISABLED: '1' })).toBeDefined();
  });

  it.each([
    ['http://collector:4318/', 'http://collector:4318/v1/traces'],
    ['https://host/otlp', 'https://host/otlp/v1/traces'],
    ['http://[::1]:4318', 'http://[::1]:4318/v1/traces'],
  ])('adds the path of traces to %s', (endpoint, url) => {
    expect(readTracingSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })?.url.href).toBe(url);
  });

  it('lets the variables of traces win over those of every signal, and headers add up', () => {
    const settings = readTracingSettings({
      ...HERE,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://jaeger/custom',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '2000',
      OTEL_EXPORTER_OTLP_HEADERS: 'a=1, b=2,',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'b=Bearer%20x==',
    });
    expect(settings?.url.href).toBe('http://jaeger/custom');
    expect(settings?.timeoutMs).toBe(2_000);
    expect(settings?.headers).toEqual({ a: '1', b: 'Bearer x==' });
  });

  it('reads samplers, batches and the resource', () => {
    const settings = readTracingSettings({
      ...HERE,
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '.25',
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_BSP_MAX_QUEUE_SIZE: '64',
      OTEL_SERVICE_NAME: 'answers',
      OTEL_RESOURCE_ATTRIBUTES: 'k8s.pod.name=rag-0,team=a%2Cb',
    });
    expect(settings).toMatchObject({ sampler: 'traceidratio', samplerRatio: 0.25, delayMs: 100, maxQueueSpans: 64 });
    expect(settings?.resource).toEqual({ 'k8s.pod.name': 'rag-0', team: 'a,b' });
    expect(settings?.serviceName).toBe('answers');
  });

  it.each<[NodeJS.ProcessEnv, string]>([
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' },
      'OTEL_EXPORTER_OTLP_ENDPOINT="collector:4318": must be an http',
    ],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://collector' }, 'OTEL_EXPORTER_OTLP_ENDPOINT="grpc://collector": must be an'],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'nowhere' }, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="nowhere": must be'],
    [{ ...HERE, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'OTEL_EXPORTER_OTLP_PROTOCOL="grpc": must be http/protobuf'],
    [{ ...HERE, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' }, 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL="grpc": must be'],
    [{ ...HERE, OTEL_TRACES_EXPORTER: 'zipkin' }, 'OTEL_TRACES_EXPORTER="zipkin": must be one of otlp, none'],
    [{ ...HERE, OTEL_TRACES_SAMPLER: 'xray' }, 'OTEL_TRACES_SAMPLER="xray": must be one of always_on'],
    [{ ...HERE, OTEL_TRACES_SAMPLER_ARG: '1.5' }, 'OTEL_TRACES_SAMPLER_ARG="1.5": must be a number from 0 to 1'],
    [{ ...HERE, OTEL_EXPORTER_OTLP_TIMEOUT: '10s' }, 'OTEL_EXPORTER_OTLP_TIMEOUT="10s": must be an integer'],
    [{ ...HERE, OTEL_RESOURCE_ATTRIBUTES: 'pod' }, 'OTEL_RESOURCE_ATTRIBUTES (not shown): must be name=value'],
  ])('refuses %o by name', (env, message) => {
    expect(() => readTracingSettings(env)).toThrow(ConfigurationError);
    expect(() => readTracingSettings(env)).toThrow(message);
  });

  it('names every mistake at once', () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'x', OTEL_EXPORTER_OTLP_HEADERS: 'a', OTEL_TRACES_SAMPLER: 'b' };
    expect(() => readTracingSettings(env)).toThrow(/3 errors/);
  });

  it.each<[string, NodeJS.ProcessEnv]>([
    ['a password in the endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://user:secret@host?key=secret' }],
    ['a password without a scheme', { OTEL_EXPORTER_OTLP_ENDPOINT: 'user:secret@host' }],
    ['a header without a name', { ...HERE, OTEL_EXPORTER_OTLP_HEADERS: 'secret' }],
    ['a header that is not decodable', { ...HERE, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret%' }],
    ['a header with a line break', { ...HERE, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret%0Ax' }],
    ['a header with a bad name', { ...HERE, OTEL_EXPORTER_OTLP_HEADERS: 'my key=secret' }],
  ])('never shows %s', (_, env) => {
    let message = '';
    try {
      readTracingSettings(env);
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(/OTEL_EXPORTER_OTLP_(ENDPOINT|HEADERS)/);
    expect(message).not.toContain('secret');
  });
});
