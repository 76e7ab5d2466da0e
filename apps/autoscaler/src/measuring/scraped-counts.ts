/** What has a process counted, by its own metrics? Those of a proxy by route, and the gauges of a pod. */
import { METRICS } from '@ragscale/service/metric-catalogue';
import { type ExposedSample, parseExposition } from './exposition.ts';
import { isCounted, isGood } from './good-answers.ts';
import type { PodGauges } from './pod-gauges.ts';
import { countOf } from './readings.ts';

/** Of one route of one proxy, since it was started. */
export interface RouteCounts {
  readonly waiting: number;
  readonly arrivals: number;
  readonly upstreamSeconds: number;
  /** In seconds, ascending; of both histograms, which follow the same objective. */
  readonly bounds: readonly number[];
  /** Answers of pods within each bound, and last all. */
  readonly upstream: readonly number[];
  /** Requests with a good status within each bound, and last all. */
  readonly good: readonly number[];
  /** Requests that count, good or not. */
  readonly counted: number;
}

const upstream = METRICS.proxyUpstreamDuration.name;
const durations = METRICS.proxyRequestDuration.name;

const OF_PROXY = new Set([
  METRICS.proxyArrivals.name,
  METRICS.proxyWaiting.name,
  ...[`${upstream}_sum`, `${upstream}_bucket`, `${durations}_bucket`, `${durations}_count`],
]);
const OF_POD = new Set<string>([METRICS.requestsWaiting.name, METRICS.requestsRunning.name, METRICS.slots.name]);

/** @throws ExpositionError; @throws RangeError where what is there makes no sense */
export function proxyCountsIn(text: string): Map<string, RouteCounts> {
  const byRoute = Map.groupBy(parseExposition(text, OF_PROXY), ({ labels }) => labels.route ?? '');
  return new Map(Iterator.from(byRoute).map(([route, samples]) => [route, countsOf(samples)]));
}

/** @throws ExpositionError; @throws RangeError where a gauge is missing */
export function podGaugesIn(text: string): PodGauges {
  const samples = parseExposition(text, OF_POD);
  const gauge = ({ name }: { readonly name: string }) => sumOf(samples, name);
  return {
    waiting: gauge(METRICS.requestsWaiting),
    running: gauge(METRICS.requestsRunning),
    slots: gauge(METRICS.slots),
  };
}

function countsOf(samples: readonly ExposedSample[]): RouteCounts {
  const buckets = (name: string, counts: (sample: ExposedSample) => boolean) => {
    const byBound = new Map<number, number>();
    for (const sample of samples) {
      if (sample.name !== `${name}_bucket` || !counts(sample)) continue;
      const { le } = sample.labels;
      const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
      byBound.set(bound, (byBound.get(bound) ?? 0) + checked(sample));
    }
    return [...byBound].sort(([a], [b]) => a - b);
  };
  const ofUpstream = buckets(upstream, () => true);
  const ofGood = buckets(durations, ({ labels }) => isGood(labels.status ?? ''));
  const counted = samples.filter(({ name, labels }) => name === `${durations}_count` && isCounted(labels.status ?? ''));
  return {
    waiting: sumOf(samples, METRICS.proxyWaiting.name),
    arrivals: sumOf(samples, METRICS.proxyArrivals.name),
    upstreamSeconds: sumOf(samples, `${upstream}_sum`),
    bounds: ofUpstream.map(([bound]) => bound).filter(Number.isFinite),
    upstream: ofUpstream.map(([, count]) => count),
    good: ofGood.map(([, count]) => count),
    counted: counted.reduce((sum, sample) => sum + checked(sample), 0),
  };
}

function sumOf(samples: readonly ExposedSample[], name: string): number {
  const found = samples.filter((sample) => sample.name === name);
  if (found.length === 0) throw new RangeError(`there is no ${name}`);
  return found.reduce((sum, sample) => sum + checked(sample), 0);
}

function checked({ name, value }: ExposedSample): number {
  const count = countOf(value);
  if (count === undefined) throw new RangeError(`${name} is ${value}`);
  return count;
}
