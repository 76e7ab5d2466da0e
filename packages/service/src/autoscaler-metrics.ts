/** The metrics of the autoscaler, with the verbs its code uses. */
import { collectDefaultMetrics, type Gauge, type Histogram, Registry } from 'prom-client';
import { TargetCounter, TargetGauge, type TargetLabels } from './labelled-series.ts';
import { METRICS, type ReplicaKind, SCALING_DIRECTIONS, type ScalingDirection } from './metric-catalogue.ts';
import { registerCounter, registerGauge, registerHistogram } from './metric-registration.ts';

type Numbers = Readonly<Record<string, number | undefined>>;

/** One target after one round; what is undefined is not known, and not shown. */
export interface TargetMeasures {
  readonly replicas: Readonly<Partial<Record<ReplicaKind, number | undefined>>>;
  /** Every number that led to the decision, by name. */
  readonly terms: Numbers;
  readonly estimates: Numbers;
  /** Of the proxy, which counts the answers that are held to the objective. */
  readonly route: string;
  readonly objectiveMs: number;
  readonly metricAgeMs: number | undefined;
}

/** One registry per instance, so that tests and several apps in one process do not share counts. */
export class AutoscalerMetrics {
  readonly #registry = new Registry();
  readonly #replicas: TargetGauge<'kind'>;
  readonly #decisions: TargetCounter<'reason'>;
  readonly #scalings: TargetCounter<'direction'>;
  readonly #problems: TargetCounter<'reason'>;
  readonly #terms: TargetGauge<'term'>;
  readonly #estimates: TargetGauge<'estimate'>;
  readonly #objective: TargetGauge<'route'>;
  readonly #metricAge: Gauge<'namespace' | 'name'>;
  readonly #leader: Gauge<'namespace' | 'name'>;
  readonly #roundDuration: Histogram;
  readonly #leaders: (() => void)[] = [];

  constructor() {
    const registry = this.#registry;
    this.#replicas = new TargetGauge(registerGauge(METRICS.autoscalerReplicas, registry), 'kind');
    this.#decisions = new TargetCounter(registerCounter(METRICS.autoscalerDecisions, registry), 'reason');
    this.#scalings = new TargetCounter(registerCounter(METRICS.autoscalerScalings, registry), 'direction');
    this.#problems = new TargetCounter(registerCounter(METRICS.autoscalerProblems, registry), 'reason');
    this.#terms = new TargetGauge(registerGauge(METRICS.autoscalerTerm, registry), 'term');
    this.#estimates = new TargetGauge(registerGauge(METRICS.autoscalerEstimate, registry), 'estimate');
    this.#objective = new TargetGauge(registerGauge(METRICS.autoscalerObjective, registry), 'route');
    this.#metricAge = registerGauge(METRICS.autoscalerMetricAge, registry);
    this.#leader = registerGauge(METRICS.autoscalerLeader, registry);
    this.#roundDuration = registerHistogram(METRICS.autoscalerRoundDuration, registry, undefined);
    collectDefaultMetrics({ register: registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The exposition in Prometheus' text format. */
  render(): Promise<string> {
    for (const set of this.#leaders) set();
    return this.#registry.metrics();
  }

  /** @param lease by which the processes agree; @param read called when somebody reads the metrics */
  observeLeader(lease: TargetLabels, read: () => boolean): void {
    const labels = labelsOf(lease);
    this.#leaders.push(() => this.#leader.set(labels, read() ? 1 : 0));
  }

  roundEnded(durationMs: number): void {
    this.#roundDuration.observe(durationMs / 1_000);
  }

  measured(target: TargetLabels, measures: TargetMeasures): void {
    const { replicas, terms, estimates, route, objectiveMs, metricAgeMs } = measures;
    const labels = labelsOf(target);
    this.#replicas.set(target, replicas);
    this.#terms.set(target, terms);
    this.#estimates.set(target, estimates);
    this.#objective.set(target, { [route]: objectiveMs / 1_000 });
    if (metricAgeMs === undefined) this.#metricAge.remove(labels);
    else this.#metricAge.set(labels, metricAgeMs / 1_000);
    // A series that appears with its first event hides that event from `rate()`.
    for (const direction of SCALING_DIRECTIONS) this.#scalings.add(target, direction, 0);
  }

  decided(target: TargetLabels, reason: string): void {
    this.#decisions.add(target, reason);
  }

  scaled(target: TargetLabels, direction: ScalingDirection): void {
    this.#scalings.add(target, direction);
  }

  /** @param reason one word in CamelCase, as in a condition */
  failed(target: TargetLabels, reason: string): void {
    this.#problems.add(target, reason);
  }

  /** The target is no more, or another process decides about it now. */
  forget(target: TargetLabels): void {
    const labels = labelsOf(target);
    for (const series of [
      this.#replicas,
      this.#decisions,
      this.#scalings,
      this.#problems,
      this.#terms,
      this.#estimates,
      this.#objective,
    ])
      series.forget(target);
    this.#metricAge.remove(labels);
  }
}

/** Of an object that may have more. */
function labelsOf({ namespace, name }: TargetLabels): Record<'namespace' | 'name', string> {
  return { namespace, name };
}
