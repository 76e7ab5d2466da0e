/** Is the objective met, and with how many replicas? */
import { METRICS } from '@ragscale/service/metric-catalogue';
import { maxBy, rate, sumBy } from '../promql.ts';
import type { DashboardPlan } from './dashboard-plan.ts';
import { graph, stat } from './panels.ts';
import { burnRate, chosen, goodShare, perSecond, quantile, RANGE, STEP } from './queries.ts';
import {
  namespaceVariable,
  nameVariable,
  objectiveVariable,
  percentileVariable,
  routeVariable,
  scaleEvents,
  variantVariable,
} from './variables.ts';

const ROUTE = ['namespace', 'route'];
const NAME = ['namespace', 'name'];
const route = '{{namespace}}/{{route}}';
const name = '{{namespace}}/{{name}}';
const answered = { status: '=~"2.."' };

const replicas = (kind: string) => maxBy(NAME, chosen(METRICS.autoscalerReplicas, { kind: `="${kind}"` }));
/** Every proxy sees every pod. */
const pods = (state: string) => maxBy(ROUTE, chosen(METRICS.proxyEndpoints, { state: `="${state}"` }));

const numbers = [
  stat({
    title: 'Good answers',
    description:
      'Of the requests in the time shown: complete answers within the objective, as the proxy sees them. Refused and failed ones are bad; what clients cancelled or asked wrongly does not count.',
    unit: 'percentunit',
    decimals: 2,
    query: { expr: goodShare(RANGE), legend: route },
  }),
  stat({
    title: 'Error budget left',
    description:
      'Of the bad requests that the percentile allows, the share that the time shown has not used up. Below 0 the objective was missed.',
    unit: 'percentunit',
    decimals: 1,
    thresholds: [
      { value: null, color: 'red' },
      { value: 0, color: 'orange' },
      { value: 0.25, color: 'green' },
    ],
    query: { expr: `1 - ${burnRate(RANGE)}`, legend: route },
  }),
  stat({
    title: 'Latency at the percentile',
    description:
      'Of the answers in the time shown; of a stream, to its first token. Interpolated within a bucket, and never above 30 objectives, the last bound.',
    unit: 's',
    query: {
      expr: quantile('$percentile / 100', ROUTE, METRICS.proxyRequestDuration, answered, RANGE),
      legend: route,
    },
  }),
  stat({
    title: 'Arrivals',
    description: 'Requests per second now, counted before anything can refuse them.',
    unit: 'reqps',
    query: { expr: perSecond(ROUTE, METRICS.proxyArrivals), legend: route },
  }),
  stat({
    title: 'Able pods',
    description:
      'Pods that the proxies give requests to. 0 is right only for a route that is scaled to zero while nobody asks.',
    unit: 'none',
    thresholds: [
      { value: null, color: 'red' },
      { value: 1, color: 'green' },
    ],
    query: { expr: pods('healthy'), legend: route },
  }),
  stat({
    title: 'Replicas wanted',
    description: 'What the autoscaler has asked for last.',
    unit: 'none',
    query: { expr: replicas('desired'), legend: name },
  }),
];

const objective = [
  graph({
    title: 'Answers within the objective',
    description: 'Good answers of those that count, and the percentile that is to be met.',
    unit: 'percentunit',
    max: 1,
    limit: 'objective',
    queries: [
      { expr: goodShare(STEP), legend: route },
      { expr: 'vector($percentile / 100)', legend: 'objective' },
    ],
  }),
  graph({
    title: 'Burn rate of the error budget',
    description:
      'Times as many bad requests as the percentile allows. 1 is just met; the alerts ask for 14.4 over an hour, 6 over six hours, 3 over a day, 1 over three days.',
    unit: 'none',
    limit: 'objective',
    queries: [
      { expr: burnRate('5m'), legend: `${route} 5 min` },
      { expr: burnRate('1h'), legend: `${route} 1 h` },
      { expr: 'vector(1)', legend: 'objective' },
    ],
  }),
  graph({
    title: 'Latency',
    description: 'Of answers at the proxy; of a stream, to its first token. Refusals are not among them.',
    unit: 's',
    limit: 'objective',
    queries: [
      ...[0.5, 0.95, 0.99].map((q) => ({
        expr: quantile(q, ROUTE, METRICS.proxyRequestDuration, answered),
        legend: `${route} p${q * 100}`,
      })),
      { expr: 'vector($objective)', legend: 'objective' },
    ],
  }),
  graph({
    title: 'Arrivals by route',
    description: 'Requests per second, counted before anything can refuse them: what the autoscaler plans for.',
    unit: 'reqps',
    queries: [{ expr: perSecond(ROUTE, METRICS.proxyArrivals), legend: route }],
  }),
];

const supply = [
  graph({
    title: 'Replicas',
    description:
      'Desired: what the autoscaler asks for. Current: what the Deployment is told to have. Ready: what can answer; where it stays below, pods start slowly or not at all. Changes are marked.',
    unit: 'none',
    queries: ['desired', 'current', 'ready'].map((kind) => ({ expr: replicas(kind), legend: `${name} ${kind}` })),
  }),
  graph({
    title: 'Waiting and running',
    description:
      'Requests that wait in the proxies, that are with a pod, that wait and run there, and how many could run at once.',
    unit: 'none',
    queries: [
      { expr: sumBy(['namespace'], chosen(METRICS.proxyWaiting)), legend: '{{namespace}} waiting in proxies' },
      { expr: sumBy(['namespace'], chosen(METRICS.proxyInFlight)), legend: '{{namespace}} with pods' },
      { expr: sumBy(['namespace'], chosen(METRICS.requestsWaiting)), legend: '{{namespace}} waiting in pods' },
      { expr: sumBy(['namespace'], chosen(METRICS.requestsRunning)), legend: '{{namespace}} running' },
      { expr: sumBy(['namespace'], chosen(METRICS.slots)), legend: '{{namespace}} slots' },
    ],
  }),
  graph({
    title: 'Answers by status',
    description:
      '429: refused for want of room. 499: the client went away. 502: no pod could finish, or a stream broke. 504: too late.',
    unit: 'reqps',
    isStacked: true,
    queries: [{ expr: perSecond(['status'], METRICS.proxyRequests), legend: '{{status}}' }],
  }),
  graph({
    title: 'Pods by state',
    description:
      'As the proxies see them. Ejected: taken out for failing. Unhealthy: no answer to probes. Draining: they leave.',
    unit: 'none',
    isStacked: true,
    queries: [
      {
        expr: sumBy(['state'], maxBy([...ROUTE, 'state'], chosen(METRICS.proxyEndpoints))),
        legend: '{{state}}',
      },
    ],
  }),
  graph({
    title: 'Retries and ejections',
    description:
      'Attempts after the first, by why they were made, and pods that were taken out for failing. Clients notice neither.',
    unit: 'cps',
    span: 24,
    queries: [
      { expr: perSecond(['reason'], METRICS.proxyRetries), legend: 'retried: {{reason}}' },
      { expr: sumBy(['namespace'], rate(chosen(METRICS.proxyEjections), STEP)), legend: 'ejected' },
    ],
  }),
];

export const OVERVIEW: DashboardPlan = {
  uid: 'ragscale-overview',
  title: 'ragscale / Overview',
  description: 'Is the objective met, how much of the error budget is left, and with how many replicas?',
  variables: [
    namespaceVariable(),
    routeVariable(),
    variantVariable(),
    nameVariable(),
    objectiveVariable(),
    percentileVariable(),
  ],
  annotations: scaleEvents(),
  rows: [
    { title: 'Objective', panels: [...numbers, ...objective] },
    { title: 'Replicas and requests', panels: supply },
  ],
};
