/** Names, labels, label values and buckets of every metric; dashboards, alerts and queries are checked against this file. */

export interface MetricEntry {
  readonly name: `ragscale_${string}`;
  readonly kind: 'histogram' | 'gauge' | 'counter';
  readonly labels: readonly string[];
  readonly from: 'pod' | 'proxy' | 'autoscaler';
  readonly help: string;
  /** Of a histogram: durations follow the objective, sizes are powers of two, rounds are those of a control loop. */
  readonly buckets?: 'duration' | 'size' | 'round';
  /** About the process as a whole, so that it carries no label of a pod's variant, a route or a target. */
  readonly ofProcess?: true;
}

/** Stages of an answer, in order; also the entries of `Server-Timing`. */
export const STAGES = ['queue', 'embed', 'retrieve', 'prefill', 'decode'] as const;
export type Stage = (typeof STAGES)[number];

/** Values of `kind` of `ragscale_tokens_total`; `prompt_cached` is the part of `prompt` that was not computed again. */
export const TOKEN_KINDS = ['prompt', 'prompt_cached', 'generated'] as const;

/** Values of `cache` of `ragscale_cache_lookups_total`: of texts, kept or being embedded for another, and of prompts' beginnings. */
export const CACHES = ['embedding', 'in_flight', 'prefix'] as const;
export type Cache = (typeof CACHES)[number];

/** Values of `result` of `ragscale_cache_lookups_total`. */
export const LOOKUP_RESULTS = ['hit', 'miss'] as const;

/** Value of `status` when the client went away before its answer. */
export const CLIENT_CLOSED_STATUS = '499';

/** Values of `state` of `ragscale_proxy_endpoints`. */
export const ENDPOINT_STATES = ['starting', 'healthy', 'unhealthy', 'ejected', 'draining'] as const;
export type EndpointState = (typeof ENDPOINT_STATES)[number];

/**
 * Values of `reason` of `ragscale_proxy_retries_total`: why another attempt was made. `silent`: no answer in the time of one try, or the
 * pod stopped answering probes; `status`: 5xx; `busy`: 429 or 503 of the pod; `hedge`: a second attempt beside the first.
 */
export const RETRY_REASONS = ['refused', 'broken', 'silent', 'status', 'busy', 'hedge'] as const;
export type RetryReason = (typeof RETRY_REASONS)[number];

/** Values of `kind` of `ragscale_autoscaler_replicas`. */
export const REPLICA_KINDS = ['current', 'ready', 'desired', 'recommended'] as const;
export type ReplicaKind = (typeof REPLICA_KINDS)[number];

/** Values of `direction` of `ragscale_autoscaler_scalings_total`. */
export const SCALING_DIRECTIONS = ['up', 'down'] as const;
export type ScalingDirection = (typeof SCALING_DIRECTIONS)[number];

const target = ['namespace', 'name'] as const;

export const METRICS = {
  requestDuration: {
    name: 'ragscale_request_duration_seconds',
    kind: 'histogram',
    labels: ['variant', 'route', 'status'],
    from: 'pod',
    help: 'Time from the first byte of a request to the last of its answer. Status 499: the client went away.',
    buckets: 'duration',
  },
  stageDuration: {
    name: 'ragscale_stage_duration_seconds',
    kind: 'histogram',
    labels: ['variant', 'stage'],
    from: 'pod',
    help: 'Time that an answer spent in a stage: queue, embed, retrieve, prefill, decode.',
    buckets: 'duration',
  },
  timeToFirstToken: {
    name: 'ragscale_time_to_first_token_seconds',
    kind: 'histogram',
    labels: ['variant'],
    from: 'pod',
    help: 'Time from the arrival of a request to the first token of its answer.',
    buckets: 'duration',
  },
  timePerOutputToken: {
    name: 'ragscale_time_per_output_token_seconds',
    kind: 'histogram',
    labels: ['variant'],
    from: 'pod',
    help: 'Time per token after the first, averaged over an answer.',
    buckets: 'duration',
  },
  requestsWaiting: {
    name: 'ragscale_requests_waiting',
    kind: 'gauge',
    labels: ['variant'],
    from: 'pod',
    help: 'Questions that wait for their turn or for a slot.',
  },
  requestsRunning: {
    name: 'ragscale_requests_running',
    kind: 'gauge',
    labels: ['variant'],
    from: 'pod',
    help: 'Questions that the engine works on.',
  },
  slots: {
    name: 'ragscale_slots',
    kind: 'gauge',
    labels: ['variant'],
    from: 'pod',
    help: 'Questions that the pod can work on at once; 0 until it is ready.',
  },
  passages: {
    name: 'ragscale_passages',
    kind: 'gauge',
    labels: ['variant'],
    from: 'pod',
    help: 'Passages of the documents that questions are answered from; 0 until they are indexed.',
  },
  documentsOutdated: {
    name: 'ragscale_documents_outdated',
    kind: 'gauge',
    labels: ['variant'],
    from: 'pod',
    help: '1 while the documents have changed and cannot be used, so that answers are drawn from the earlier ones; 0 otherwise.',
  },
  deviceInfo: {
    name: 'ragscale_device_info',
    kind: 'gauge',
    labels: ['variant', 'device', 'requested'],
    from: 'pod',
    help: '1: the models run on device (cpu, cuda) where requested (cpu, cuda, auto) was asked for; auto on cpu has fallen back.',
  },
  batchSize: {
    name: 'ragscale_batch_size',
    kind: 'histogram',
    labels: ['variant', 'stage'],
    from: 'pod',
    help: 'Questions that a run of the model held.',
    buckets: 'size',
  },
  tokens: {
    name: 'ragscale_tokens_total',
    kind: 'counter',
    labels: ['variant', 'kind'],
    from: 'pod',
    help: 'Tokens of prompts, of those the ones copied from another prompt and not computed, and of answers generated.',
  },
  cacheLookups: {
    name: 'ragscale_cache_lookups_total',
    kind: 'counter',
    labels: ['variant', 'cache', 'result'],
    from: 'pod',
    help: 'Texts looked for among those embedded before (embedding) and at the moment (in_flight); prompts that began as another (prefix).',
  },
  rejected: {
    name: 'ragscale_rejected_total',
    kind: 'counter',
    labels: ['variant', 'reason'],
    from: 'pod',
    help: 'Requests refused, by the code of the error (docs/errors.md).',
  },
  proxyArrivals: {
    name: 'ragscale_proxy_arrivals_total',
    kind: 'counter',
    labels: ['route'],
    from: 'proxy',
    help: 'Requests that arrived, counted before anything can refuse them.',
  },
  proxyRequests: {
    name: 'ragscale_proxy_requests_total',
    kind: 'counter',
    labels: ['route', 'status'],
    from: 'proxy',
    help: 'Requests answered. Status 499: the client went away.',
  },
  proxyRequestDuration: {
    name: 'ragscale_proxy_request_duration_seconds',
    kind: 'histogram',
    labels: ['route', 'status'],
    from: 'proxy',
    help: 'Time from the first byte of a request to the last of its answer; of a stream, to its first token.',
    buckets: 'duration',
  },
  proxyUpstreamDuration: {
    name: 'ragscale_proxy_upstream_duration_seconds',
    kind: 'histogram',
    labels: ['route'],
    from: 'proxy',
    help: 'Time that the pod took, the last attempt alone.',
    buckets: 'duration',
  },
  proxyInFlight: {
    name: 'ragscale_proxy_in_flight',
    kind: 'gauge',
    labels: ['route'],
    from: 'proxy',
    help: 'Requests that are with a pod.',
  },
  proxyWaiting: {
    name: 'ragscale_proxy_waiting',
    kind: 'gauge',
    labels: ['route'],
    from: 'proxy',
    help: 'Requests that wait for a pod.',
  },
  proxyEndpoints: {
    name: 'ragscale_proxy_endpoints',
    kind: 'gauge',
    labels: ['route', 'state'],
    from: 'proxy',
    help: 'Pods known to the proxy, by state.',
  },
  proxyRetries: {
    name: 'ragscale_proxy_retries_total',
    kind: 'counter',
    labels: ['route', 'reason'],
    from: 'proxy',
    help: 'Attempts after the first.',
  },
  proxyRejected: {
    name: 'ragscale_proxy_rejected_total',
    kind: 'counter',
    labels: ['route', 'reason'],
    from: 'proxy',
    help: 'Requests refused by the proxy itself, by the code of the error (docs/errors.md).',
  },
  proxyEjections: {
    name: 'ragscale_proxy_ejections_total',
    kind: 'counter',
    labels: ['route'],
    from: 'proxy',
    help: 'Times that a pod was taken out for failing.',
  },
  autoscalerReplicas: {
    name: 'ragscale_autoscaler_replicas',
    kind: 'gauge',
    labels: [...target, 'kind'],
    from: 'autoscaler',
    help: 'Replicas of the target: current (what it is told to have), ready, desired, recommended (without limits, pause and mode).',
  },
  autoscalerDecisions: {
    name: 'ragscale_autoscaler_decisions_total',
    kind: 'counter',
    labels: [...target, 'reason'],
    from: 'autoscaler',
    help: 'Decisions, by reason.',
  },
  autoscalerScalings: {
    name: 'ragscale_autoscaler_scalings_total',
    kind: 'counter',
    labels: [...target, 'direction'],
    from: 'autoscaler',
    help: 'Times that the number of replicas was changed, by direction: up, down.',
  },
  autoscalerProblems: {
    name: 'ragscale_autoscaler_problems_total',
    kind: 'counter',
    labels: [...target, 'reason'],
    from: 'autoscaler',
    help: 'Rounds in which the target could not be looked at, decided about or changed, by reason, as in the conditions of its resource.',
  },
  autoscalerTerm: {
    name: 'ragscale_autoscaler_term',
    kind: 'gauge',
    labels: [...target, 'term'],
    from: 'autoscaler',
    help: 'Each term of the last decision.',
  },
  autoscalerEstimate: {
    name: 'ragscale_autoscaler_estimate',
    kind: 'gauge',
    labels: [...target, 'estimate'],
    from: 'autoscaler',
    help: 'What was learnt of the target, as in the status of its resource; names of times end in Ms: milliseconds.',
  },
  autoscalerObjective: {
    name: 'ragscale_autoscaler_objective_seconds',
    kind: 'gauge',
    labels: [...target, 'route'],
    from: 'autoscaler',
    help: 'Latency that the answers of the target are held to; route: of the proxy, under which they are counted.',
  },
  autoscalerMetricAge: {
    name: 'ragscale_autoscaler_metric_age_seconds',
    kind: 'gauge',
    labels: target,
    from: 'autoscaler',
    help: 'Age of the oldest of the newest samples; while none can be read, of those that were read last.',
  },
  autoscalerLeader: {
    name: 'ragscale_autoscaler_leader',
    kind: 'gauge',
    labels: target,
    from: 'autoscaler',
    help: '1 where this process decides, 0 where it stands by; namespace and name are those of the Lease.',
  },
  autoscalerRoundDuration: {
    name: 'ragscale_autoscaler_round_duration_seconds',
    kind: 'histogram',
    labels: [],
    from: 'autoscaler',
    help: 'Time that one round for all targets took: looking, measuring, deciding, scaling.',
    buckets: 'round',
    ofProcess: true,
  },
} as const satisfies Record<string, MetricEntry>;

/** Multiples of the objective: fine around it, where quantiles are read, coarse away from it. */
const DURATION_LADDER = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 10, 30,
] as const;

/**
 * Upper bounds of every duration histogram, in seconds, ascending; one of them is exactly `objectiveSeconds`.
 * @throws RangeError unless the objective is a positive number
 */
export function durationBuckets(objectiveSeconds: number): number[] {
  if (!(objectiveSeconds > 0 && Number.isFinite(objectiveSeconds)))
    throw new RangeError(`not an objective: ${objectiveSeconds} s`);
  // Six digits: 0.1 * 3 must not print as 0.30000000000000004 in a label; the objective itself is never rounded.
  return DURATION_LADDER.map((factor) =>
    factor === 1 ? objectiveSeconds : Number((factor * objectiveSeconds).toPrecision(6)),
  );
}

/** Upper bounds of batch sizes. */
export const SIZE_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128] as const;

/** Upper bounds of rounds of a control loop, in seconds: those of the default, 5 s, are late beyond it. */
export const ROUND_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;
