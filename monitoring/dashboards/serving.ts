/** Where does the time of an answer go, and how full are the pods? */
import { METRICS } from '@ragscale/service/metric-catalogue';
import { sumBy } from '../promql.ts';
import type { DashboardPlan } from './dashboard-plan.ts';
import { graph, heatmap } from './panels.ts';
import { chosen, mean, perSecond, quantile } from './queries.ts';
import { namespaceVariable, routeVariable, variantVariable } from './variables.ts';

const VARIANT = ['namespace', 'variant'];
const variant = '{{namespace}}/{{variant}}';
/** Not probes and metrics. */
const ANSWERS = '=~"/rag|/v1/.*"';
const QUANTILES = [0.5, 0.95, 0.99] as const;

const time = [
  graph({
    title: 'Stages of an answer, mean',
    description:
      'Queue: waiting in the pod. Embed and retrieve: finding passages. Prefill: reading the prompt. Decode: writing the answer.',
    unit: 's',
    isStacked: true,
    queries: [{ expr: mean([...VARIANT, 'stage'], METRICS.stageDuration), legend: `${variant} {{stage}}` }],
  }),
  graph({
    title: 'Stages of an answer, p95',
    description: 'Each stage by itself: they do not add up to the p95 of an answer.',
    unit: 's',
    queries: [{ expr: quantile(0.95, [...VARIANT, 'stage'], METRICS.stageDuration), legend: `${variant} {{stage}}` }],
  }),
  graph({
    title: 'Time to first token',
    description: 'From the arrival at the pod to the first token of the answer.',
    unit: 's',
    queries: QUANTILES.map((q) => ({
      expr: quantile(q, VARIANT, METRICS.timeToFirstToken),
      legend: `${variant} p${q * 100}`,
    })),
  }),
  graph({
    title: 'Time per token after the first',
    description: 'Averaged over an answer. It grows with the number of answers that are written at once.',
    unit: 's',
    queries: QUANTILES.map((q) => ({
      expr: quantile(q, VARIANT, METRICS.timePerOutputToken),
      legend: `${variant} p${q * 100}`,
    })),
  }),
  graph({
    title: 'Time in the pod',
    description: 'The 95th percentile, from the first byte of a request to the last of its answer, by path.',
    unit: 's',
    queries: [
      {
        expr: quantile(0.95, [...VARIANT, 'route'], METRICS.requestDuration, { status: '=~"2.."', route: ANSWERS }),
        legend: `${variant} {{route}}`,
      },
    ],
  }),
  graph({
    title: 'Proxy and pod',
    description:
      'Mean time of an answer at the proxy, and what the last pod took of it. The difference is the wait for a pod, and retries.',
    unit: 's',
    queries: [
      {
        expr: mean(['namespace', 'route'], METRICS.proxyRequestDuration, { status: '=~"2.."' }),
        legend: '{{namespace}}/{{route}} at the proxy',
      },
      {
        expr: mean(['namespace', 'route'], METRICS.proxyUpstreamDuration),
        legend: '{{namespace}}/{{route}} in the pod',
      },
    ],
  }),
];

const batching = [
  heatmap({
    title: 'Batch size of decoding',
    description:
      'How many answers a run of the model wrote a token for: far up the pods are full, at 1 they have nothing to share.',
    unit: 'none',
    query: {
      expr: perSecond(['le'], METRICS.batchSize, { stage: '="decode"' }, '_bucket'),
      legend: '{{le}}',
    },
  }),
  graph({
    title: 'Batch size, mean',
    description: 'Questions in a run of the model, by stage.',
    unit: 'none',
    queries: [{ expr: mean([...VARIANT, 'stage'], METRICS.batchSize), legend: `${variant} {{stage}}` }],
  }),
  graph({
    title: 'Slots',
    description: 'Questions that pods can work on at once, that they work on, and that wait in pods for a slot.',
    unit: 'none',
    queries: [
      { expr: sumBy(VARIANT, chosen(METRICS.slots)), legend: `${variant} slots` },
      { expr: sumBy(VARIANT, chosen(METRICS.requestsRunning)), legend: `${variant} running` },
      { expr: sumBy(VARIANT, chosen(METRICS.requestsWaiting)), legend: `${variant} waiting` },
    ],
  }),
  graph({
    title: 'Running, by pod',
    description: 'Questions that each pod works on. Lines far apart: the load is not spread evenly.',
    unit: 'none',
    queries: [{ expr: sumBy(['namespace', 'pod'], chosen(METRICS.requestsRunning)), legend: '{{pod}}' }],
  }),
  graph({
    title: 'Tokens',
    description: 'Prompt: read; prompt_cached: the part of it that was copied from another prompt; generated: written.',
    unit: 'cps',
    queries: [{ expr: perSecond([...VARIANT, 'kind'], METRICS.tokens), legend: `${variant} {{kind}}` }],
  }),
  graph({
    title: 'Cache hits',
    description: 'Texts found among those embedded before or at the moment, and prompts that began as another.',
    unit: 'percentunit',
    max: 1,
    queries: [
      {
        expr: `${perSecond([...VARIANT, 'cache'], METRICS.cacheLookups, { result: '="hit"' })} / ${perSecond([...VARIANT, 'cache'], METRICS.cacheLookups)}`,
        legend: `${variant} {{cache}}`,
      },
    ],
  }),
];

const refusals = [
  graph({
    title: 'Refused by pods',
    description: 'By the code of the error. The proxy takes most of these to another pod.',
    unit: 'reqps',
    isStacked: true,
    queries: [{ expr: perSecond([...VARIANT, 'reason'], METRICS.rejected), legend: `${variant} {{reason}}` }],
  }),
  graph({
    title: 'Refused by the proxy',
    description: 'By the code of the error: what clients are told.',
    unit: 'reqps',
    isStacked: true,
    queries: [
      {
        expr: perSecond(['namespace', 'route', 'reason'], METRICS.proxyRejected),
        legend: '{{namespace}}/{{route}} {{reason}}',
      },
    ],
  }),
];

const pods = [
  graph({
    title: 'Devices',
    description:
      'Pods by the device that their models run on, and the one that was asked for: auto on cpu has fallen back.',
    unit: 'none',
    span: 8,
    isStacked: true,
    queries: [
      {
        expr: sumBy([...VARIANT, 'device', 'requested'], chosen(METRICS.deviceInfo)),
        legend: `${variant} {{requested}} on {{device}}`,
      },
    ],
  }),
  graph({
    title: 'Passages, by pod',
    description:
      'What each pod answers from. Pods that are apart for longer than documents take to be indexed answer from different ones.',
    unit: 'none',
    span: 8,
    queries: [{ expr: sumBy(['namespace', 'pod'], chosen(METRICS.passages)), legend: '{{pod}}' }],
  }),
  graph({
    title: 'Pods with outdated documents',
    description:
      'The documents have changed and cannot be used: these pods answer from the earlier ones, and their logs say what is wrong.',
    unit: 'none',
    span: 8,
    queries: [{ expr: sumBy(VARIANT, chosen(METRICS.documentsOutdated)), legend: variant }],
  }),
];

export const SERVING: DashboardPlan = {
  uid: 'ragscale-serving',
  title: 'ragscale / Serving',
  description: 'Where does the time of an answer go, how full are the pods, and what do they refuse?',
  variables: [namespaceVariable(), routeVariable(), variantVariable()],
  annotations: [],
  rows: [
    { title: 'Time', panels: time },
    { title: 'Batches, slots, tokens', panels: batching },
    { title: 'Refusals', panels: refusals },
    { title: 'Devices and documents', panels: pods },
  ],
};
