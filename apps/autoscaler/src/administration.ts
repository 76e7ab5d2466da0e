/** What do operators and probes ask the autoscaler? Whether it lives, whether it is ready, and its metrics. */
import type { Server } from 'node:http';
import { ServiceError } from '@ragscale/service/error-catalogue';
import type { Lifecycle } from '@ragscale/service/lifecycle';
import {
  createPathServer,
  type Exposition,
  json,
  metricsPath,
  type Path,
  readinessPath,
} from '@ragscale/service/path-server';
import type { Logger } from 'pino';

/** The sign of life of a loop. */
export interface Heartbeat {
  /** When a round was over last, by the same clock as `now`; undefined before the first was. */
  readonly lastRoundAt: number | undefined;
}

export interface AdministrationParts {
  /** Ready as soon as it is known what is to be scaled, for those that only stand by as well. */
  readonly lifecycle: Pick<Lifecycle, 'state'>;
  readonly metrics: Exposition;
  readonly heartbeat: Heartbeat;
  readonly periodMs: number;
  /** Milliseconds. */
  readonly now: () => number;
  readonly logger: Logger;
}

const PATIENCE_PERIODS = 6;
const LEAST_PATIENCE_MS = 60_000;

/** The caller listens, and closes. */
export function createAdministration(parts: AdministrationParts): Server {
  const { lifecycle, metrics, logger, now } = parts;
  const startedAt = now();
  return createPathServer(
    new Map<string, Path>([
      ['/livez', { method: 'GET', answer: () => liveness(parts, startedAt) }],
      ['/readyz', readinessPath(lifecycle)],
      ['/metrics', metricsPath(metrics)],
    ]),
    logger,
  );
}

function liveness({ lifecycle, heartbeat, periodMs, now }: AdministrationParts, startedAt: number) {
  const quietMs = now() - (heartbeat.lastRoundAt ?? startedAt);
  // It may wait for the API server for as long as it likes before it is ready, and is about to end after.
  if (lifecycle.state !== 'ready' || quietMs <= Math.max(PATIENCE_PERIODS * periodMs, LEAST_PATIENCE_MS)) {
    return json({ status: 'ok' });
  }
  const detail = `no round has ended for ${Math.round(quietMs / 1_000)} s, though one begins every ${periodMs / 1_000} s`;
  throw new ServiceError('stalled', { detail });
}
