/** Requests at a steady rate, counted as a proxy counts them. */
import type { ProxyMetrics } from '@ragscale/service/proxy-metrics';

const TICK_MS = 20;

export interface SteadyTraffic {
  readonly route: string;
  readonly perSecond: number;
  /** What the next request's answer is; asked for each. */
  readonly answer: (index: number) => { readonly status: number; readonly durationMs: number };
}

/** @returns stops it */
export function send(metrics: ProxyMetrics, { route, perSecond, answer }: SteadyTraffic): () => void {
  const startedAt = performance.now();
  let sent = 0;
  // As many as are due: a timer that comes late loses none.
  const timer = setInterval(() => {
    for (const due = ((performance.now() - startedAt) / 1_000) * perSecond; sent < due; sent++) {
      const { status, durationMs } = answer(sent);
      metrics.arrived(route);
      if (status === 200) metrics.upstreamEnded(route, durationMs);
      metrics.requestEnded(route, status, durationMs);
    }
  }, TICK_MS);
  return () => clearInterval(timer);
}
