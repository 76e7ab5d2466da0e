/** When are there no pods, no pods in time, or no numbers about them? */
import { METRICS } from '@ragscale/service/metric-catalogue';
import { maxBy, onObjective, rate, series, sumBy } from '../promql.ts';
import { PLACEHOLDERS } from './parameters.ts';
import { inNamespace, ROUTE } from './recording.ts';
import type { RuleGroup } from './rule.ts';

const arrivals = series(METRICS.proxyArrivals, inNamespace);
/** Every proxy sees every pod. */
const able = maxBy(ROUTE, series(METRICS.proxyEndpoints, { ...inNamespace, state: '="healthy"' }));
const waiting = sumBy(ROUTE, series(METRICS.proxyWaiting, inNamespace));
const ableInNamespace = sumBy(['namespace'], able);
const slots = series(METRICS.slots, inNamespace);
const POD = ['namespace', 'variant', 'pod'];
const counted = series(METRICS.proxyRequestDuration, inNamespace, '_count');
const onBound = series(
  METRICS.proxyRequestDuration,
  { ...inNamespace, le: onObjective(PLACEHOLDERS.OBJECTIVE_SECONDS) },
  '_bucket',
);

export const SERVING_GROUP: RuleGroup = {
  name: 'ragscale.serving',
  interval: '30s',
  rules: [
    {
      alert: 'RagscaleNoAblePods',
      expr: `${able} == 0\nand on (namespace, route)\n(${waiting} > 0 or ${sumBy(ROUTE, rate(arrivals, '5m'))} > 0)`,
      for: '2m',
      severity: 'critical',
      summary: 'Route {{ $labels.route }} in {{ $labels.namespace }} has no pod that can answer.',
      description: 'Requests arrive, and no pod is able: they wait until their deadline and fail.',
    },
    {
      alert: 'RagscalePodSlowToStart',
      // Not as `for`: a container that is started again for being slow leaves a gap, after which that would begin anew.
      expr: `${maxBy(POD, `max_over_time(${slots}[${PLACEHOLDERS.POD_START}])`)} == 0\nand on (${POD.join(', ')})\n${maxBy(POD, `${slots} offset ${PLACEHOLDERS.POD_START}`)}`,
      for: '0s',
      severity: 'warning',
      summary: 'Pod {{ $labels.pod }} in {{ $labels.namespace }} does not become ready.',
      description: `It runs and has offered no slot for ${PLACEHOLDERS.POD_START}: it loads its models, or cannot.`,
    },
    {
      alert: 'RagscaleDocumentsOutdated',
      expr: `${sumBy(['namespace', 'variant'], series(METRICS.documentsOutdated, inNamespace))} > 0`,
      for: '5m',
      severity: 'warning',
      summary: 'Pods of {{ $labels.variant }} in {{ $labels.namespace }} cannot use the documents that there are now.',
      description: '{{ $value }} of them answer from earlier ones. One that starts anew would not become ready.',
    },
    {
      alert: 'RagscaleMetricsMissing',
      expr: `absent(${arrivals})`,
      for: '5m',
      severity: 'critical',
      summary: 'There are no metrics of any proxy in {{ $labels.namespace }}.',
      description:
        'Either no proxy runs, or Prometheus does not reach their administration port. No alert on the objective can fire, and the autoscaler holds.',
    },
    {
      alert: 'RagscalePodMetricsMissing',
      expr: `${ableInNamespace} > 0\nunless on (namespace)\n(count by (namespace) (${slots}) >= on (namespace) ${ableInNamespace})`,
      for: '5m',
      severity: 'warning',
      summary: 'In {{ $labels.namespace }} fewer pods have metrics than answer.',
      description:
        'The proxies know {{ $value }} able pods, and Prometheus scrapes fewer. The autoscaler takes nothing away while it cannot see them.',
    },
    {
      alert: 'RagscaleObjectiveNotMeasured',
      expr: `count by (namespace) (${counted})\nunless on (namespace)\ncount by (namespace) (${onBound})`,
      for: '5m',
      severity: 'warning',
      summary: 'In {{ $labels.namespace }} no histogram has a bound on the objective.',
      description: `The alerts look for ${PLACEHOLDERS.OBJECTIVE_SECONDS} s, and the proxies run with another OBJECTIVE: no alert on it can fire.`,
    },
  ],
};
