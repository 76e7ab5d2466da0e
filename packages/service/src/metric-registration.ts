/** Turns entries of the metric catalogue into prom-client metrics. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { durationBuckets, type MetricEntry, ROUND_BUCKETS, SIZE_BUCKETS } from './metric-catalogue.ts';

type Label<Entry extends MetricEntry> = Entry['labels'][number];

/** @param objectiveSeconds where the bound of every duration histogram must lie; the others need none */
export function registerHistogram<const Entry extends MetricEntry & { kind: 'histogram' }>(
  entry: Entry,
  registry: Registry,
  objectiveSeconds: Entry extends { buckets: 'duration' } ? number : number | undefined,
): Histogram<Label<Entry>> {
  return new Histogram({
    name: entry.name,
    help: entry.help,
    labelNames: labelsOf(entry),
    buckets: bucketsOf(entry, objectiveSeconds),
    registers: [registry],
  });
}

function bucketsOf({ buckets }: MetricEntry, objectiveSeconds: number | undefined): number[] {
  if (buckets === 'size') return [...SIZE_BUCKETS];
  return buckets === 'round' ? [...ROUND_BUCKETS] : durationBuckets(objectiveSeconds ?? Number.NaN);
}

export function registerGauge<const Entry extends MetricEntry & { kind: 'gauge' }>(
  entry: Entry,
  registry: Registry,
): Gauge<Label<Entry>> {
  return new Gauge({ name: entry.name, help: entry.help, labelNames: labelsOf(entry), registers: [registry] });
}

export function registerCounter<const Entry extends MetricEntry & { kind: 'counter' }>(
  entry: Entry,
  registry: Registry,
): Counter<Label<Entry>> {
  return new Counter({ name: entry.name, help: entry.help, labelNames: labelsOf(entry), registers: [registry] });
}

function labelsOf<Entry extends MetricEntry>(entry: Entry): Label<Entry>[] {
  return [...entry.labels];
}
