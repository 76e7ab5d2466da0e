/** What do operators and probes ask the proxy? A server of its own, on a port that no client reaches. */
import type { IncomingMessage, Server } from 'node:http';
import { ServiceError } from '@ragscale/service/error-catalogue';
import type { Lifecycle } from '@ragscale/service/lifecycle';
import type { EndpointState } from '@ragscale/service/metric-catalogue';
import {
  type Answer,
  createPathServer,
  json,
  metricsPath,
  notFound,
  type Path,
  readinessPath,
} from '@ragscale/service/path-server';
import type { ProxyMetrics } from '@ragscale/service/proxy-metrics';
import type { Logger } from 'pino';
import { RegistrationError } from './discovery/registration-discovery.ts';
import { readPodUrl } from './registration-body.ts';

/** A pod as the proxy sees it. */
export interface EndpointReport {
  readonly id: string;
  readonly state: EndpointState;
  readonly inFlight: number;
  /** Requests that it gets at once at most; null where there is no bound. */
  readonly cap: number | null;
  readonly weight: number;
  /** How long its answers take; null until it has answered. */
  readonly latencyMs: number | null;
}

/** Pods that announce themselves. */
export interface Registration {
  /** @param url `http://host:port` @returns whether it was not there yet @throws RegistrationError */
  register(url: string): boolean;
  /** @returns whether it was there @throws RegistrationError */
  unregister(url: string): boolean;
  /** The origin that a request would go to now; undefined where no pod is able. */
  assign(): string | undefined;
}

export interface AdministrationParts {
  readonly lifecycle: Pick<Lifecycle, 'state'>;
  readonly metrics: Pick<ProxyMetrics, 'contentType' | 'render'>;
  readonly logger: Logger;
  /** Of every route, by its name. */
  readonly endpoints: () => Readonly<Record<string, readonly EndpointReport[]>>;
  /** Absent where the flag REGISTRATION is off. */
  readonly registration?: Registration | undefined;
}

/** The caller listens, and closes. */
export function createAdministration(parts: AdministrationParts): Server {
  return createPathServer(pathsOf(parts), parts.logger);
}

function pathsOf({ lifecycle, metrics, endpoints, registration }: AdministrationParts): ReadonlyMap<string, Path> {
  return new Map<string, Path>([
    ['/livez', { method: 'GET', answer: () => json({ status: 'ok' }) }],
    ['/readyz', readinessPath(lifecycle)],
    ['/metrics', metricsPath(metrics)],
    ['/endpoints', { method: 'GET', answer: () => json({ routes: endpoints() }) }],
    ...registrationPaths(registration),
  ]);
}

/** The seed's way for pods to come and go; off unless asked for, because whoever reaches it decides where questions go. */
function registrationPaths(registration: Registration | undefined): [string, Path][] {
  const behindFlag = (answer: (on: Registration, request: IncomingMessage) => Answer | Promise<Answer>) => {
    return (request: IncomingMessage) =>
      registration === undefined ? REGISTRATION_OFF : answer(registration, request);
  };
  const register = behindFlag((on, request) => change(request, (url) => on.register(url)));
  const unregister = behindFlag((on, request) => change(request, (url) => on.unregister(url)));
  const assign = behindFlag((on) => {
    const url = on.assign();
    if (url === undefined) throw new ServiceError('no_backend', {});
    return json({ url });
  });
  return [
    ['/register', { method: 'POST', answer: register }],
    ['/unregister', { method: 'POST', answer: unregister }],
    ['/assign', { method: 'GET', answer: assign }],
  ];
}

/** @param apply returns whether it changed anything */
async function change(request: IncomingMessage, apply: (url: string) => boolean): Promise<Answer> {
  const { url, param } = await readPodUrl(request);
  try {
    return json({ url, changed: apply(url) });
  } catch (cause) {
    if (!(cause instanceof RegistrationError)) throw cause;
    throw new ServiceError('invalid_request', { detail: `${param}: ${cause.message}` }, { param, cause });
  }
}

const REGISTRATION_OFF = notFound('pods cannot register here; REGISTRATION=on allows it');
