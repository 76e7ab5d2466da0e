/** Is every name that a query uses one of the catalogue, or of our own recording rules? */
import { REASONS } from '@ragscale/scaling/decision';
import {
  CACHES,
  ENDPOINT_STATES,
  LOOKUP_RESULTS,
  METRICS,
  type MetricEntry,
  REPLICA_KINDS,
  RETRY_REASONS,
  SCALING_DIRECTIONS,
  STAGES,
  TOKEN_KINDS,
} from '@ragscale/service/metric-catalogue';
import { SCRAPE_LABELS } from './promql.ts';
import { namesIn } from './promql-names.ts';

const PARTS = ['_bucket', '_sum', '_count'];

const LANGUAGE = [
  ...[
    'sum',
    'max',
    'count',
    'rate',
    'increase',
    'histogram_quantile',
    'vector',
    'scalar',
    'clamp_max',
    'absent',
    'sum_over_time',
    'max_over_time',
  ],
  ...['and', 'or', 'unless'],
];

/** Labels whose values are a closed set, by metric. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  [`${METRICS.proxyEndpoints.name} state`]: ENDPOINT_STATES,
  [`${METRICS.proxyRetries.name} reason`]: RETRY_REASONS,
  [`${METRICS.autoscalerReplicas.name} kind`]: REPLICA_KINDS,
  [`${METRICS.autoscalerScalings.name} direction`]: SCALING_DIRECTIONS,
  [`${METRICS.autoscalerDecisions.name} reason`]: REASONS,
  [`${METRICS.batchSize.name}_bucket stage`]: STAGES,
  [`${METRICS.tokens.name} kind`]: TOKEN_KINDS,
  [`${METRICS.cacheLookups.name} cache`]: CACHES,
  [`${METRICS.cacheLookups.name} result`]: LOOKUP_RESULTS,
};

/** Labels by the names that metrics are exposed under. */
function exposed(recorded: Readonly<Record<string, readonly string[]>>): Map<string, readonly string[]> {
  const labels = new Map<string, readonly string[]>(Object.entries(recorded));
  for (const { name, kind, labels: own } of Object.values<MetricEntry>(METRICS)) {
    const all = [...own, ...SCRAPE_LABELS];
    if (kind !== 'histogram') labels.set(name, all);
    else for (const part of PARTS) labels.set(`${name}${part}`, part === '_bucket' ? [...all, 'le'] : all);
  }
  return labels;
}

/**
 * Everything in a query that nobody exposes, in words.
 * @param query with every variable filled in
 * @param recorded labels of the recording rules that may be used, by name
 */
export function unknownNames(query: string, recorded: Readonly<Record<string, readonly string[]>> = {}): string[] {
  const known = exposed(recorded);
  const { series, groupLabels, words } = namesIn(query);
  const inQuery = series.flatMap(({ metric }) => known.get(metric) ?? []);
  return [
    ...series.flatMap(({ metric, matchers }) => {
      const labels = known.get(metric);
      if (labels === undefined) return [`no metric ${metric}`];
      return matchers.flatMap(({ label, operator, value }) => {
        if (!labels.includes(label)) return [`no label ${label} of ${metric}`];
        return matchesNothing(VALUES[`${metric} ${label}`], operator, value).map(
          (each) => `no ${label} ${each} of ${metric}`,
        );
      });
    }),
    ...groupLabels.filter((label) => !inQuery.includes(label)).map((label) => `no label ${label} in ${query}`),
    ...words.filter((word) => !LANGUAGE.includes(word)).map((word) => `what is ${word}?`),
  ];
}

/** Of the alternatives of a matcher those that are no value of the set. */
function matchesNothing(values: readonly string[] | undefined, operator: string, wanted: string): string[] {
  if (values === undefined || wanted === '.*') return [];
  return (operator.includes('~') ? wanted.split('|') : [wanted]).filter((each) => !values.includes(each));
}
