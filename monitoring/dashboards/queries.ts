/** What do the panels ask? Every query is limited to what is chosen in the dashboard's variables. */
import { METRICS, type MetricEntry } from '@ragscale/service/metric-catalogue';
import {
  COUNTED_STATUSES,
  GOOD_STATUSES,
  type Matchers,
  onObjective,
  type Part,
  rate,
  series,
  sumBy,
} from '../promql.ts';

/** Four scrapes at least, and no less than a point of the graph: Grafana's own variable. */
export const STEP = '$__rate_interval';
/** All of the time that is shown. */
export const RANGE = '$__range';

/** The label of a variable of the same name, if the metric has it. The `route` of a pod's metrics is a path, that of a proxy's a set of pods. */
const SCOPES = {
  proxy: ['namespace', 'route'],
  pod: ['namespace', 'variant'],
  autoscaler: ['namespace', 'name'],
} as const;

/** Of these the `name` is another one: that of the Lease. */
const UNNAMED: readonly MetricEntry[] = [METRICS.autoscalerLeader];

/** A metric, of what is chosen. */
export function chosen<const Entry extends MetricEntry>(
  entry: Entry,
  matchers?: Matchers<Entry>,
  part: Part | '' = '',
): string {
  const labels = SCOPES[entry.from].filter(
    (label) =>
      label === 'namespace' || (entry.labels.includes(label) && !(label === 'name' && UNNAMED.includes(entry))),
  );
  const scope = Object.fromEntries(labels.map((label) => [label, `=~"$${label}"`]));
  return series<MetricEntry>(entry, { ...scope, ...matchers }, part);
}

/** Per second. */
export function perSecond<const Entry extends MetricEntry>(
  by: readonly string[],
  entry: Entry,
  matchers?: Matchers<Entry>,
  part: Part | '' = '',
): string {
  return sumBy(by, rate(chosen<MetricEntry>(entry, matchers, part), STEP));
}

/** The mean of what a histogram observed. */
export function mean<const Entry extends MetricEntry & { kind: 'histogram' }>(
  by: readonly string[],
  entry: Entry,
  matchers?: Matchers<Entry>,
): string {
  const [sum, count] = (['_sum', '_count'] as const).map((part) => perSecond<MetricEntry>(by, entry, matchers, part));
  return `${sum} / ${count}`;
}

/** @param q from 0 to 1, or an expression */
export function quantile<const Entry extends MetricEntry & { kind: 'histogram' }>(
  q: number | string,
  by: readonly string[],
  entry: Entry,
  matchers?: Matchers<Entry>,
  window = STEP,
): string {
  const buckets = rate(chosen<MetricEntry>(entry, matchers, '_bucket'), window);
  return `histogram_quantile(${q}, ${sumBy(['le', ...by], buckets)})`;
}

const ROUTE = ['namespace', 'route'] as const;

/** Of the requests that count, the share that was answered well within the objective. */
export function goodShare(window: string): string {
  const { proxyRequestDuration } = METRICS;
  const good = chosen(proxyRequestDuration, { status: GOOD_STATUSES, le: onObjective('$objective') }, '_bucket');
  const counted = chosen(proxyRequestDuration, { status: COUNTED_STATUSES }, '_count');
  return `${sumBy(ROUTE, rate(good, window))} / ${sumBy(ROUTE, rate(counted, window))}`;
}

/** Of all requests that may be bad by the objective. */
export const BUDGET = '(1 - $percentile / 100)';

/** 1: the budget lasts exactly as long as the window that it is for. */
export function burnRate(window: string): string {
  return `(1 - ${goodShare(window)}) / ${BUDGET}`;
}
