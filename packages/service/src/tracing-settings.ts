/** What the standard OpenTelemetry environment says about traces: whether, where to, how many, and as whose. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { z } from 'zod';
import {
  ConfigurationError,
  integer,
  oneOf,
  readEnvironment,
  text,
  type ValuesOf,
  type Variables,
} from './environment.ts';

export const TRACE_SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
export type TraceSampler = (typeof TRACE_SAMPLERS)[number];

const GENERAL = 'OTEL_EXPORTER_OTLP_';
const TRACES = 'OTEL_EXPORTER_OTLP_TRACES_';

/**
 * Names, meanings and defaults are those of the specification; `OTEL_EXPORTER_OTLP_TRACES_*` wins over `OTEL_EXPORTER_OTLP_*`.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ and .../protocol/exporter/
 */
export const TRACING_VARIABLES = {
  endpoint: {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    about:
      'Where traces go, by OTLP over HTTP; `/v1/traces` is added. `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is taken as it is. Without either there is no tracing.',
    ...text('an http:// or https:// URL such as http://collector:4318'),
  },
  disabled: {
    name: 'OTEL_SDK_DISABLED',
    about: '`true` turns tracing off.',
    ...text('`true`, or anything else for no'),
    fallback: 'false',
  },
  exporter: {
    name: 'OTEL_TRACES_EXPORTER',
    about: '`none` turns tracing off.',
    ...oneOf(['otlp', 'none']),
    fallback: 'otlp',
  },
  protocol: {
    name: 'OTEL_EXPORTER_OTLP_PROTOCOL',
    about: 'Encoding of the traces; gRPC is not supported.',
    ...oneOf(['http/protobuf']),
    fallback: 'http/protobuf',
  },
  headers: {
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    about: 'Headers of every export, such as credentials.',
    ...text('name=value pairs, separated by commas, percent-encoded'),
  },
  timeoutMs: {
    name: 'OTEL_EXPORTER_OTLP_TIMEOUT',
    about: 'Milliseconds that an export may take, with its retries.',
    ...integer(1, 600_000),
    fallback: '10000',
  },
  compression: {
    name: 'OTEL_EXPORTER_OTLP_COMPRESSION',
    about: 'Compression of an export.',
    ...oneOf(['none', 'gzip']),
    fallback: 'none',
  },
  serviceName: { name: 'OTEL_SERVICE_NAME', about: 'Name of the service in its traces.', ...text('a name') },
  resource: {
    name: 'OTEL_RESOURCE_ATTRIBUTES',
    about: 'What else is true of every trace of this process, such as `k8s.pod.name=rag-0`.',
    ...text('name=value pairs, separated by commas, percent-encoded'),
  },
  sampler: {
    name: 'OTEL_TRACES_SAMPLER',
    about: 'Which requests are traced; `parentbased_` follows the caller where there is a traceparent.',
    ...oneOf(TRACE_SAMPLERS),
    fallback: 'parentbased_always_on',
  },
  samplerRatio: {
    name: 'OTEL_TRACES_SAMPLER_ARG',
    about: 'Share of the requests that a `traceidratio` sampler takes.',
    schema: z
      .string()
      .regex(/^[0-9]*\.?[0-9]+(e-?[0-9]+)?$/i)
      .transform(Number)
      .pipe(z.number().min(0).max(1)),
    allowed: 'a number from 0 to 1',
    fallback: '1',
  },
  delayMs: {
    name: 'OTEL_BSP_SCHEDULE_DELAY',
    about: 'Milliseconds between two exports.',
    ...integer(1, 600_000),
    fallback: '5000',
  },
  exportTimeoutMs: {
    name: 'OTEL_BSP_EXPORT_TIMEOUT',
    about: 'Milliseconds after which an export is given up.',
    ...integer(1, 600_000),
    fallback: '30000',
  },
  maxQueueSpans: {
    name: 'OTEL_BSP_MAX_QUEUE_SIZE',
    about: 'Spans that wait for their export at most; traces beyond are dropped whole.',
    ...integer(1, 1_000_000),
    fallback: '2048',
  },
  maxBatchSpans: {
    name: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    about: 'Spans of one export at most.',
    ...integer(1, 1_000_000),
    fallback: '512',
  },
} as const satisfies Variables;

type Values = ValuesOf<typeof TRACING_VARIABLES>;

export interface TracingSettings
  extends Omit<Values, 'endpoint' | 'headers' | 'resource' | 'disabled' | 'exporter' | 'protocol'> {
  /** Of the exports: path and all. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
}

/**
 * Undefined where there is no endpoint or tracing is turned off; then nothing else is checked.
 * @throws ConfigurationError naming every bad variable; never with a header's value or a password in it
 */
export function readTracingSettings(env: NodeJS.ProcessEnv): TracingSettings | undefined {
  const endpointName = effectiveName('OTEL_EXPORTER_OTLP_ENDPOINT', env);
  const endpoint = env[endpointName]?.trim();
  // Of OTEL_SDK_DISABLED the specification says that anything but `true` is false.
  if (!endpoint || env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') return undefined;
  if (env.OTEL_TRACES_EXPORTER?.trim() === 'none') return undefined;

  const problems: string[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const url = attempt(() => exportUrl(endpointName, endpoint));
  const values = attempt(() => readEnvironment(effectiveVariables(env), env));
  const headers = attempt(() => ({ ...headersOf(`${GENERAL}HEADERS`, env), ...headersOf(`${TRACES}HEADERS`, env) }));
  const resource = attempt(() => pairsOf('OTEL_RESOURCE_ATTRIBUTES', env));
  if (url && values && headers && resource) return { ...values, url, headers, resource };
  throw new ConfigurationError(problems);
}

function effectiveVariables(env: NodeJS.ProcessEnv): typeof TRACING_VARIABLES {
  const entries = Object.entries(TRACING_VARIABLES);
  return Object.fromEntries(
    entries.map(([key, variable]) => [key, { ...variable, name: effectiveName(variable.name, env) }]),
  ) as typeof TRACING_VARIABLES;
}

/** The variable of traces alone where it is set, otherwise the one of every signal. */
function effectiveName(general: string, env: NodeJS.ProcessEnv): string {
  const specific = general.replace(GENERAL, TRACES);
  return env[specific]?.trim() ? specific : general;
}

function exportUrl(name: string, given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    const shown = given.replace(/[?#].*$/s, '').replace(/^([a-z]+:\/\/)?[^/]*@/i, '$1***@');
    throw problem(`${name}=${JSON.stringify(shown.slice(0, 80))}: must be ${TRACING_VARIABLES.endpoint.allowed}`);
  }
  if (!name.startsWith(TRACES)) url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`;
  return url;
}

function headersOf(name: string, env: NodeJS.ProcessEnv): Record<string, string> {
  const headers = pairsOf(name, env);
  for (const [header, value] of Object.entries(headers)) {
    try {
      validateHeaderName(header);
      validateHeaderValue(header, value);
    } catch {
      throw problem(`${name}: a name or a value (not shown) may not stand in an HTTP header`);
    }
  }
  return headers;
}

/** `name=value,name=value`, values percent-encoded, as W3C baggage without its properties. */
function pairsOf(name: string, env: NodeJS.ProcessEnv): Record<string, string> {
  const pairs = (env[name] ?? '').split(',').filter((pair) => pair.trim() !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      const key = pair.slice(0, Math.max(at, 0)).trim();
      const value = decoded(pair.slice(at + 1).trim());
      if (key === '' || value === undefined) {
        throw problem(`${name} (not shown): must be ${TRACING_VARIABLES.headers.allowed}`);
      }
      return [key, value];
    }),
  );
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function problem(line: string): ConfigurationError {
  return new ConfigurationError([line]);
}
