/** What every exchange shares. */
import type { FailureKind } from '@ragscale/balancing/health';
import type { DeadlineLimits } from '@ragscale/service/deadline';
import type { Lifecycle } from '@ragscale/service/lifecycle';
import type { ProxyMetrics } from '@ragscale/service/proxy-metrics';
import type { Tracing } from '@ragscale/service/tracing';
import type { Logger } from 'pino';
import type { AccessLog } from './access-log.ts';
import type { Crowd } from './crowd.ts';
import type { Endpoint } from './endpoint.ts';
import type { Exchange } from './exchange.ts';
import type { KeyGate } from './key-gate.ts';
import type { PublicPaths } from './public-paths.ts';
import type { BodyBudget, BodyLimits } from './request-body.ts';
import type { Route } from './route.ts';
import type { RouteChoice } from './route-choice.ts';

export interface ExchangeSettings {
  readonly deadlines: DeadlineLimits;
  readonly body: BodyLimits;
  /** Lower-case name of the header by whose value a client gets the same pod again. */
  readonly stickyHeader: string | undefined;
  /** Proxies in front of this one whose X-Forwarded-* are believed. */
  readonly trustedHops: number;
  /** Pods that a request is given to at most, one after the other, when they fail. */
  readonly maxTries: number;
  /** A pod that has not begun to answer by then is given up; 0 for never. */
  readonly tryTimeoutMs: number;
  /** A second pod is asked after this quantile of the times until pods began to answer; never when undefined. */
  readonly hedgeQuantile: number | undefined;
}

export interface ExchangeParts {
  readonly settings: ExchangeSettings;
  readonly routes: RouteChoice;
  readonly paths: PublicPaths;
  /** Absent where no keys are asked for. */
  readonly keys: KeyGate | undefined;
  readonly bodies: BodyBudget;
  readonly metrics: ProxyMetrics;
  readonly accessLog: AccessLog;
  readonly tracing: Tracing | undefined;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  /** Those that have not ended. */
  readonly exchanges: Crowd<Exchange>;
  /** A pod has turned a request away. */
  readonly onBusy: (route: Route, endpoint: Endpoint, retryAfterSeconds: number, now: number) => void;
  /** A pod has failed a request. */
  readonly onFailed: (route: Route, endpoint: Endpoint, kind: FailureKind, now: number) => void;
}
