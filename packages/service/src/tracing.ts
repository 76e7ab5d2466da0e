/** One OpenTelemetry trace per request, its stages as child spans, sent where the standard environment says; or nothing at all. */
import { randomUUID } from 'node:crypto';
import type { Context, HrTime, Span, TextMapGetter, Tracer } from '@opentelemetry/api';
import { ErrorReports, SpanOutlet } from './tracing-outlet.ts';
import { readTracingSettings, type TracingSettings } from './tracing-settings.ts';

export interface TracingOptions {
  /** Unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES has another. */
  readonly serviceName: string;
  readonly serviceVersion: string;
  /** Called at most once a minute while traces get lost, and once at the end should any be left. */
  readonly onError: (message: string) => void;
}

export interface Tracing {
  /**
   * Takes the parent of a request from its W3C `traceparent` and `tracestate`; a malformed one starts a new trace.
   * @param headers by lower-case name, as Node gives them
   * @param name method and route, such as `POST /rag`: one of few
   * @param startedAtMs epoch milliseconds, fractions allowed
   */
  begin(headers: RequestHeaders, name: string, startedAtMs: number): RequestSpan;
  /**
   * Exports what is left, waits at most `timeoutMs`, never throws. Later spans are ignored.
   * An export that is given up keeps its timers, up to the export timeout: the process is to end by `process.exit`.
   */
  shutDown(timeoutMs: number): Promise<void>;
}

export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** A request that runs. */
export interface RequestSpan {
  /** 32 hexadecimal digits, for log lines. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether the trace is kept: the parent's or the sampler's decision. */
  readonly sampled: boolean;
  /** Value of the `traceparent` header of a call made on behalf of the request. */
  readonly traceparent: string;
  /** Value of the `tracestate` header that belongs to it, where the caller sent one. */
  readonly tracestate: string | undefined;
  /** Hands the trace over for export; a second call does nothing. Never throws. */
  end(end: RequestEnd): void;
}

export interface RequestEnd {
  /** HTTP status; from 500 on the span is an error. Becomes `http.response.status_code`. */
  readonly status: number;
  /** Epoch milliseconds, fractions allowed, as in `stages`. */
  readonly endedAtMs: number;
  /** In order; one whose times are not numbers is left out. */
  readonly stages: readonly StageSpan[];
  /** Named by the semantic conventions; never the text of a question or an answer. Strings are cut at 256 characters. */
  readonly attributes: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** Code of the error catalogue. Becomes `error.type`; without it that is the status, from 500 on. */
  readonly error?: string;
}

export interface StageSpan {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
}

const MAX_ATTRIBUTE_LENGTH = 256;

/** First status that makes a server's span an error. https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status */
const FIRST_ERROR_STATUS = 500;

type Api = typeof import('@opentelemetry/api');

/**
 * Reads OTEL_SDK_DISABLED, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_*, OTEL_BSP_* and OTEL_EXPORTER_OTLP_*
 * (tracing-settings.ts); certificates (OTEL_EXPORTER_OTLP_CERTIFICATE and its kin) are read by the exporter from `process.env`.
 * @returns undefined where no endpoint is configured; nothing is imported then
 * @throws ConfigurationError naming every bad variable
 */
export async function openTracing(env: NodeJS.ProcessEnv, options: TracingOptions): Promise<Tracing | undefined> {
  const settings = readTracingSettings(env);
  if (settings === undefined) return undefined;
  const [api, core, resources, sdk, otlp] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
  ]);
  const reports = new ErrorReports(options.onError);
  listenToDiagnostics(api, reports);
  const { url, headers, timeoutMs, compression } = settings;
  // The enumeration of the exporter's configuration has these two values and comes from a package of its own.
  type Config = NonNullable<ConstructorParameters<typeof otlp.OTLPTraceExporter>[0]>;
  const config = { url: url.href, headers: { ...headers }, timeoutMillis: timeoutMs, compression } as unknown as Config;
  const exporter = new otlp.OTLPTraceExporter(config);
  const outlet = new SpanOutlet({
    exporter,
    capacity: settings.maxQueueSpans,
    destination: url.origin + url.pathname,
    reports,
  });
  const processor = new sdk.BatchSpanProcessor({
    exporter: outlet,
    scheduledDelayMillis: settings.delayMs,
    exportTimeoutMillis: settings.exportTimeoutMs,
    maxQueueSize: settings.maxQueueSpans,
    maxExportBatchSize: Math.min(settings.maxBatchSpans, settings.maxQueueSpans),
  });
  const provider = new sdk.TracerProvider({
    resource: resources.defaultResource().merge(resources.resourceFromAttributes(resourceOf(settings, options))),
    sampler: samplerOf(settings, sdk),
    spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE_LENGTH },
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer('ragscale', options.serviceVersion);
  const propagator = new core.W3CTraceContextPropagator();
  let ending: Promise<void> | undefined;
  return {
    begin(headers, name, startedAtMs) {
      const parent = propagator.extract(api.ROOT_CONTEXT, headers, HEADER_GETTER);
      return new OtelRequestSpan({ api, tracer, outlet, parent, name, startedAtMs });
    },
    shutDown(limitMs) {
      ending ??= outlet.close(() => provider.shutdown(), limitMs);
      return ending;
    },
  };
}

interface SpanParts {
  readonly api: Api;
  readonly tracer: Tracer;
  readonly outlet: SpanOutlet;
  readonly parent: Context;
  readonly name: string;
  readonly startedAtMs: number;
}

class OtelRequestSpan implements RequestSpan {
  readonly #parts: SpanParts;
  readonly #span: Span;

  constructor(parts: SpanParts) {
    const { api, tracer, parent, name, startedAtMs } = parts;
    this.#parts = parts;
    this.#span = tracer.startSpan(name, { kind: api.SpanKind.SERVER, startTime: hrTime(startedAtMs) }, parent);
  }

  get traceId(): string {
    return this.#span.spanContext().traceId;
  }

  get spanId(): string {
    return this.#span.spanContext().spanId;
  }

  get sampled(): boolean {
    return (this.#span.spanContext().traceFlags & this.#parts.api.TraceFlags.SAMPLED) !== 0;
  }

  get traceparent(): string {
    return `00-${this.traceId}-${this.spanId}-${this.sampled ? '01' : '00'}`;
  }

  get tracestate(): string | undefined {
    return this.#span.spanContext().traceState?.serialize() || undefined;
  }

  end({ status, endedAtMs, stages, attributes, error }: RequestEnd): void {
    const { api, outlet, startedAtMs } = this.#parts;
    const measured = stages.filter(({ startMs, endMs }) => Number.isFinite(startMs) && Number.isFinite(endMs));
    if (!this.#span.isRecording() || !outlet.admits(measured.length + 1)) return;
    for (const [name, value] of Object.entries(attributes)) {
      this.#span.setAttribute(name, typeof value === 'object' ? [...value] : value);
    }
    this.#span.setAttribute('http.response.status_code', status);
    const failed = status >= FIRST_ERROR_STATUS;
    if (error !== undefined || failed) this.#span.setAttribute('error.type', error ?? String(status));
    if (failed) this.#span.setStatus({ code: api.SpanStatusCode.ERROR });
    this.#addStages(measured);
    this.#span.end(hrTime(Math.max(endedAtMs, startedAtMs)));
  }

  #addStages(stages: readonly StageSpan[]): void {
    const { api, tracer, parent } = this.#parts;
    const context = api.trace.setSpan(parent, this.#span);
    for (const { name, startMs, endMs } of stages) {
      const span = tracer.startSpan(name, { startTime: hrTime(startMs) }, context);
      span.end(hrTime(Math.max(endMs, startMs)));
    }
  }
}

const HEADER_GETTER: TextMapGetter<RequestHeaders> = {
  get: (headers, name) => headers[name],
  keys: (headers) => Object.keys(headers),
};

/** Seconds and nanoseconds: the SDK takes a plain number for one of two clocks, by its size. */
function hrTime(epochMs: number): HrTime {
  const ms = Number.isFinite(epochMs) ? epochMs : Date.now();
  const seconds = Math.floor(ms / 1000);
  const nanoseconds = Math.round((ms - seconds * 1000) * 1e6);
  return nanoseconds < 1e9 ? [seconds, nanoseconds] : [seconds + 1, 0];
}

/** https://opentelemetry.io/docs/specs/semconv/resource/ */
function resourceOf(settings: TracingSettings, options: TracingOptions): Record<string, string> {
  return {
    'service.name': options.serviceName,
    'service.version': options.serviceVersion,
    'service.instance.id': randomUUID(),
    ...settings.resource,
    ...(settings.serviceName === undefined ? {} : { 'service.name': settings.serviceName }),
  };
}

type Sdk = typeof import('@opentelemetry/sdk-trace');

function samplerOf({ sampler, samplerRatio }: TracingSettings, sdk: Sdk) {
  const roots = {
    always_on: () => new sdk.AlwaysOnSampler(),
    always_off: () => new sdk.AlwaysOffSampler(),
    traceidratio: () => new sdk.TraceIdRatioBasedSampler(samplerRatio),
  };
  const root = roots[sampler.replace('parentbased_', '') as keyof typeof roots]();
  return sampler.startsWith('parentbased_') ? new sdk.ParentBasedSampler({ root }) : root;
}

/** What the packages say of themselves, such as a certificate that cannot be read; otherwise nobody would hear it. */
function listenToDiagnostics({ diag, DiagLogLevel }: Api, reports: ErrorReports): void {
  const say = (...parts: unknown[]): void => reports.report(parts.map(String).join(' '));
  const ignore = (): void => undefined;
  diag.setLogger(
    { error: say, warn: say, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
