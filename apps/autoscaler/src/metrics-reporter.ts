/** What of a round is a number that operators watch? */
import type { AutoscalerMetrics } from '@ragscale/service/autoscaler-metrics';
import type { Report, Reporter } from './report.ts';
import type { Target } from './target.ts';

export class MetricsReporter implements Reporter {
  readonly #metrics: AutoscalerMetrics;
  /** By target: when the newest sample was taken that anybody has told of. */
  readonly #sampledAt = new Map<string, number>();

  constructor(metrics: AutoscalerMetrics) {
    this.#metrics = metrics;
  }

  report({ target, at, state, measured, decision, estimates, scaled, problem }: Report): void {
    const metrics = this.#metrics;
    metrics.measured(target, {
      replicas: {
        // What it has now, and not what it had when the round began.
        current: scaled ? decision?.replicas : state?.replicas.spec,
        ready: state?.replicas.ready,
        desired: decision?.replicas,
        recommended: decision?.recommended,
      },
      terms: decision?.terms ?? {},
      estimates: { ...estimates },
      route: target.route,
      objectiveMs: target.policy.objective.latencyMs,
      metricAgeMs: measured && this.#ageMs(target, measured.ageMs, at),
    });
    if (decision !== undefined) metrics.decided(target, decision.reason);
    if (scaled && decision !== undefined && state !== undefined) {
      metrics.scaled(target, decision.replicas > state.replicas.spec ? 'up' : 'down');
    }
    if (problem !== undefined) metrics.failed(target, problem.reason);
  }

  forget(target: Target): void {
    this.#sampledAt.delete(target.id);
    this.#metrics.forget(target);
  }

  /** While nobody can say how old it is, what was known last grows older. */
  #ageMs({ id }: Target, known: number | undefined, at: number): number | undefined {
    if (known !== undefined) this.#sampledAt.set(id, at - known);
    const sampledAt = this.#sampledAt.get(id);
    return sampledAt === undefined ? undefined : at - sampledAt;
  }
}
