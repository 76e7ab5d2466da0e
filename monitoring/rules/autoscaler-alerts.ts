/** When does the autoscaler not follow the load? */
import { METRICS } from '@ragscale/service/metric-catalogue';
import { maxBy, rate, series, sumBy } from '../promql.ts';
import { PLACEHOLDERS } from './parameters.ts';
import { badShare, inNamespace } from './recording.ts';
import type { RuleGroup } from './rule.ts';

const NAME = ['namespace', 'name'] as const;
const NAME_AND_ROUTE = [...NAME, 'route'] as const;

const replicas = (kind: string) =>
  maxBy(NAME, series(METRICS.autoscalerReplicas, { ...inNamespace, kind: `="${kind}"` }));
const mostReplicas = maxBy(NAME, series(METRICS.autoscalerTerm, { ...inNamespace, term: '="max"' }));
const decisions = (matchers: { reason?: string } = {}) =>
  sumBy(NAME, rate(series(METRICS.autoscalerDecisions, { ...inNamespace, ...matchers }), '5m'));
const age = maxBy(NAME, series(METRICS.autoscalerMetricAge, inNamespace));
const leader = series(METRICS.autoscalerLeader, inNamespace);

/** Which targets answer badly: what says a target's objective says as well which route its answers are counted under. */
const answersBadly = `${maxBy(NAME_AND_ROUTE, series(METRICS.autoscalerObjective, inNamespace))} and on (namespace, route) ${badShare('5m')}{namespace="${PLACEHOLDERS.NAMESPACE}"} > (1 - ${PLACEHOLDERS.OBJECTIVE_PERCENT} / 100)`;

/** Decisions that it made without seeing: it holds what there is. */
const BLIND_REASONS = '=~"no-data|stale|fallback"';

export const AUTOSCALER_GROUP: RuleGroup = {
  name: 'ragscale.autoscaler',
  interval: '30s',
  rules: [
    {
      alert: 'RagscaleAutoscalerAtMaximum',
      expr: `${replicas('desired')} >= on (namespace, name) ${mostReplicas}\nand on (namespace, name)\n(${answersBadly})`,
      for: '5m',
      severity: 'warning',
      summary: 'Autoscaler {{ $labels.name }} in {{ $labels.namespace }} may not add more replicas.',
      description: 'All {{ $value }} replicas that maxReplicas allows are asked for, and the objective is missed.',
    },
    {
      alert: 'RagscaleAutoscalerWithoutMetrics',
      expr: `${decisions({ reason: BLIND_REASONS })} > on (namespace, name) (0.5 * ${decisions()})\nor\n${age} > 60`,
      for: '2m',
      severity: 'warning',
      summary: 'Autoscaler {{ $labels.name }} in {{ $labels.namespace }} does not see the load.',
      description:
        'What it decides by is missing or old. It takes nothing away, and adds only for a queue that it can see.',
    },
    {
      alert: 'RagscaleAutoscalerLeaderMissing',
      expr: `absent(${leader})\nor\n${maxBy(NAME, leader)} == 0`,
      for: '2m',
      severity: 'warning',
      summary: 'In {{ $labels.namespace }} no process of the autoscaler decides.',
      description: 'None of them holds the lease, or none runs. The number of replicas stays what it is.',
    },
    {
      alert: 'RagscaleReplicasNotReady',
      expr: `${replicas('current')} - on (namespace, name) ${replicas('ready')} > 0`,
      for: '15m',
      severity: 'warning',
      summary: 'Replicas of {{ $labels.name }} in {{ $labels.namespace }} do not become ready.',
      description:
        '{{ $value }} of those asked for are missing, for a quarter of an hour now: no room on the nodes, an image that cannot be pulled, or pods that fail as they start.',
    },
  ],
};
