/** Why does the autoscaler want this number of replicas, and does it see enough to decide? */
import { METRICS } from '@ragscale/service/metric-catalogue';
import { maxBy, rate, sumBy } from '../promql.ts';
import type { DashboardPlan } from './dashboard-plan.ts';
import { graph, type Query, table } from './panels.ts';
import { chosen, quantile, STEP } from './queries.ts';
import { namespaceVariable, nameVariable, routeVariable, scaleEvents } from './variables.ts';

const NAME = ['namespace', 'name'];
const name = '{{namespace}}/{{name}}';

/** Every term that the law gives, by what it is a number of: a term of another unit has no place on the same axis. */
export const TERMS = {
  replicas: [
    ...['spec', 'ready', 'starting', 'load', 'loadHigh', 'planned', 'plannedLow', 'plannedHigh', 'backlog', 'stable'],
    ...['desired', 'windowMost', 'windowLeast', 'leastAllowed', 'mostAllowed', 'stuck', 'fallback', 'min', 'max'],
  ],
  perSecond: ['perSecond', 'capacityLow', 'capacityHigh'],
  requests: ['waiting', 'queue', 'slots'],
  milliseconds: ['aloneMs', 'reachMs', 'coldStartMs', 'idleForMs'],
  numbers: ['waitShare', 'growth', 'spread', 'failures'],
} as const satisfies Record<string, readonly string[]>;

/** What has no limit is told as a number without end, which would flatten every other line. */
const MOST_SHOWN = 1e6;

function terms(names: readonly string[], to = `< ${MOST_SHOWN}`): Query[] {
  const term = chosen(METRICS.autoscalerTerm, { term: `=~"${names.join('|')}"` });
  return [{ expr: `${maxBy([...NAME, 'term'], term)} ${to}`, legend: `${name} {{term}}` }];
}

const decision = [
  graph({
    title: 'Replicas',
    description:
      'Recommended: what the load asks for. Desired: what limits, windows and pauses left of it. Current: what the target is told to have. Ready: what can answer. Changes of desired are marked.',
    unit: 'none',
    queries: [{ expr: maxBy([...NAME, 'kind'], chosen(METRICS.autoscalerReplicas)), legend: `${name} {{kind}}` }],
  }),
  graph({
    title: 'Decisions by reason',
    description:
      'Decisions per second: what bound them. no-data and stale: it holds because it does not see; at-max: it may not do more.',
    unit: 'ops',
    isStacked: true,
    queries: [
      {
        expr: sumBy([...NAME, 'reason'], rate(chosen(METRICS.autoscalerDecisions), STEP)),
        legend: `${name} {{reason}}`,
      },
    ],
  }),
  graph({
    title: 'Latency against the objective',
    description: 'The 95th percentile of answers at the proxies, by route, and the objectives of the autoscalers.',
    unit: 's',
    queries: [
      {
        expr: quantile(0.95, ['namespace', 'route'], METRICS.proxyRequestDuration, { status: '=~"2.."' }),
        legend: '{{namespace}}/{{route}} p95',
      },
      { expr: maxBy(NAME, chosen(METRICS.autoscalerObjective)), legend: `${name} objective` },
    ],
  }),
  graph({
    title: 'Changes',
    description: 'How often the number of replicas was changed. Under a steady load this is next to never.',
    unit: 'none',
    isStacked: true,
    queries: [
      {
        expr: sumBy([...NAME, 'direction'], `increase(${chosen(METRICS.autoscalerScalings)}[${STEP}])`),
        legend: `${name} {{direction}}`,
      },
    ],
  }),
  graph({
    title: 'Terms in replicas',
    description:
      'Among them load: enough for what arrives. planned: with what may come during a cold start. backlog: what drains the queue. windowMost, leastAllowed, mostAllowed: what held it back.',
    unit: 'none',
    span: 24,
    queries: terms(TERMS.replicas),
  }),
  graph({
    title: 'Arrivals and capacity',
    description: 'Arrivals per second as estimated. Between capacityLow and capacityHigh lies what one replica bears.',
    unit: 'reqps',
    queries: terms(TERMS.perSecond),
  }),
  graph({
    title: 'Queue and slots',
    description:
      'Of these waiting: requests without a slot, in proxies and pods. queue: how many there will be when a pod that is asked for now is ready. slots: of one replica.',
    unit: 'none',
    queries: terms(TERMS.requests),
  }),
  graph({
    title: 'Times learnt',
    description:
      'Of these aloneMs: a request that has a pod for itself. coldStartMs: until a new pod answers. idleForMs: since the last request.',
    unit: 's',
    queries: terms(TERMS.milliseconds, '/ 1000'),
  }),
  graph({
    title: 'Shares and exponents',
    description:
      'Of these waitShare: requests that have to wait, of 1. growth: k requests at once take k to this power as long. spread: of what requests take. failures: decisions in a row without data.',
    unit: 'none',
    queries: terms(TERMS.numbers),
  }),
];

const everything = [
  table({
    title: 'Every term of the last decision',
    description: 'As the law gave them; times in milliseconds. A number of sixteen digits stands for no limit.',
    unit: 'none',
    columns: { namespace: 'Namespace', name: 'Autoscaler', term: 'Term', Value: 'Value' },
    query: { expr: maxBy([...NAME, 'term'], chosen(METRICS.autoscalerTerm)), legend: '{{term}}' },
  }),
  table({
    title: 'Everything learnt',
    description:
      'What the law believes of the target, as in the status of its resource; times in milliseconds, rates per second.',
    unit: 'none',
    columns: { namespace: 'Namespace', name: 'Autoscaler', estimate: 'Estimate', Value: 'Value' },
    query: { expr: maxBy([...NAME, 'estimate'], chosen(METRICS.autoscalerEstimate)), legend: '{{estimate}}' },
  }),
];

const health = [
  graph({
    title: 'Age of the metrics',
    description: 'Of the samples that the last decision used. Old ones make it hold what there is.',
    unit: 's',
    queries: [{ expr: maxBy(NAME, chosen(METRICS.autoscalerMetricAge)), legend: name }],
  }),
  graph({
    title: 'Leader',
    description:
      'By lease and process: 1 where it decides, 0 where it stands by. Exactly one of a lease should decide.',
    unit: 'none',
    queries: [{ expr: maxBy([...NAME, 'pod'], chosen(METRICS.autoscalerLeader)), legend: `${name} {{pod}}` }],
  }),
  graph({
    title: 'Duration of a round',
    description: 'Looking, measuring, deciding and scaling, for all targets. Rounds longer than PERIOD are late.',
    unit: 's',
    queries: [
      ...[0.5, 0.99].map((q) => ({
        expr: quantile(q, ['namespace'], METRICS.autoscalerRoundDuration),
        legend: `{{namespace}} p${q * 100}`,
      })),
    ],
  }),
  graph({
    title: 'Problems',
    description:
      'Rounds in which a target could not be looked at, decided about or changed, per second, by reason. Its conditions say more.',
    unit: 'ops',
    isStacked: true,
    queries: [
      {
        expr: sumBy([...NAME, 'reason'], rate(chosen(METRICS.autoscalerProblems), STEP)),
        legend: `${name} {{reason}}`,
      },
    ],
  }),
];

export const AUTOSCALER: DashboardPlan = {
  uid: 'ragscale-autoscaler',
  title: 'ragscale / Autoscaler',
  description: 'Why does the autoscaler want this number of replicas, and does it see enough to decide?',
  variables: [namespaceVariable(), nameVariable(), routeVariable()],
  annotations: scaleEvents(),
  rows: [
    { title: 'Decision', panels: [...decision, ...everything] },
    { title: 'Health of the autoscaler', panels: health },
  ],
};
