/** How is PromQL made of the catalogue's names, so that none is ever typed? */
import type { MetricEntry } from '@ragscale/service/metric-catalogue';

/** Labels that the scrape adds, as Kubernetes' discovery and PodMonitors set them. */
export const SCRAPE_LABELS = ['namespace', 'pod'] as const;

type LabelOf<Entry extends MetricEntry> = Entry['labels'][number] | (typeof SCRAPE_LABELS)[number] | 'le';

/** By label: the operator and the quoted value, such as `=~"2.."`. */
export type Matchers<Entry extends MetricEntry = MetricEntry> = Readonly<Partial<Record<LabelOf<Entry>, string>>>;

/** What a histogram is exposed as. */
export type Part = '_bucket' | '_sum' | '_count';

/** `name{label="value", ...}` */
export function series<const Entry extends MetricEntry>(
  entry: Entry,
  matchers?: Matchers<Entry>,
  part: Part | '' = '',
): string {
  const inside = Object.entries(matchers ?? {}).map(([label, matcher]) => `${label}${matcher}`);
  return `${entry.name}${part}${inside.length === 0 ? '' : `{${inside.join(', ')}}`}`;
}

export function rate(vector: string, window: string): string {
  return `rate(${vector}[${window}])`;
}

export function sumBy(labels: readonly string[], vector: string): string {
  return `sum by (${labels.join(', ')}) (${vector})`;
}

export function maxBy(labels: readonly string[], vector: string): string {
  return `max by (${labels.join(', ')}) (${vector})`;
}

/** Statuses that say something of the service: good ones, refusals and failures. What the client cancelled or asked wrongly does not count. */
export const COUNTED_STATUSES = '=~"2..|429|5.."';
export const GOOD_STATUSES = '=~"2.."';

/** The bound that lies on the objective: Prometheus 3 writes `2.0` where Prometheus 2 keeps our `2`. @param seconds a number or a variable */
export function onObjective(seconds: string): string {
  return `=~"${seconds}|${seconds}[.]0"`;
}
