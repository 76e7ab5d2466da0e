/** Which specs of a LatencyAutoscaler are good, and which field is wrong in the others? The API server and our own code judge all of them. */

export interface JudgedSpec {
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
  /** That the refusal names; undefined: it is good. */
  readonly wrong?: string;
}

const scaleTargetRef = { name: 'rag' };
const objective = { latency: '2s' };

/** The least that is good, and something else. */
export function specWith(other: object = {}): Record<string, unknown> {
  return { scaleTargetRef, maxReplicas: 5, objective, ...other };
}

function good(name: string, other: object = {}): JudgedSpec {
  return { name, spec: specWith(other) };
}

function bad(wrong: string, name: string, other: object): JudgedSpec {
  return { name, spec: specWith(other), wrong };
}

const down = (rules: object) => ({ behavior: { scaleDown: rules } });
const policy = (other: object) => down({ policies: [{ type: 'Pods', value: 1, periodSeconds: 60, ...other }] });

export const JUDGED_SPECS: readonly JudgedSpec[] = [
  good('the least'),
  good('scale to zero', { minReplicas: 0, idleAfter: '0s' }),
  good('as many as may be', { minReplicas: 100_000, maxReplicas: 100_000 }),
  good('the shortest latency', { objective: { latency: '1ms' } }),
  good('the longest latency', { objective: { latency: '10m' } }),
  good('a latency of two parts', { objective: { latency: '1m30s' } }),
  good('a latency with a fraction', { objective: { latency: '0.25s' } }),
  good('first tokens', { objective: { latency: '300ms', metric: 'timeToFirstToken' } }),
  good('a whole percentile', { objective: { latency: '2s', percentile: 50 } }),
  good('a percentile with decimals', { objective: { latency: '2s', percentile: '99.99' } }),
  good('a percentile as a text', { objective: { latency: '2s', percentile: '95' } }),
  good('another kind', { scaleTargetRef: { apiVersion: 'example.com/v1beta2', kind: 'Server', name: 'a' } }),
  good('a kind of the core', { scaleTargetRef: { apiVersion: 'v1', kind: 'ReplicationController', name: 'a' } }),
  good('another route', { route: 'batched' }),
  good('windows', { windows: ['1s', '10s', '1h'] }),
  good('a cold start', { coldStart: '6h' }),
  good('slots', { capacity: { slotsPerReplica: 8 } }),
  good('nothing of the capacity', { capacity: {} }),
  good('a fallback', { fallback: { replicas: 5, afterFailures: 1 } }),
  good('only recommending', { mode: 'Recommend' }),
  good('no behavior', { behavior: {} }),
  good('no change downwards', down({ selectPolicy: 'Disabled' })),
  good('no policies', down({ policies: [] })),
  good('percent', policy({ type: 'Percent', value: 100, periodSeconds: 1_800 })),
  good('a stabilization window', down({ stabilizationWindowSeconds: 3_600 })),
  good('an unknown field, which is left out', { maxReplica: 3 }),

  { name: 'no target', spec: { maxReplicas: 5, objective }, wrong: 'scaleTargetRef' },
  { name: 'no maximum', spec: { scaleTargetRef, objective }, wrong: 'maxReplicas' },
  { name: 'no objective', spec: { scaleTargetRef, maxReplicas: 5 }, wrong: 'objective' },
  bad('scaleTargetRef.name', 'a target without a name', { scaleTargetRef: { kind: 'Deployment' } }),
  bad('scaleTargetRef.name', 'an empty name', { scaleTargetRef: { name: '' } }),
  bad('scaleTargetRef.name', 'a path as a name', { scaleTargetRef: { name: '../secrets/a' } }),
  bad('scaleTargetRef.apiVersion', 'a group without a version', { scaleTargetRef: { name: 'a', apiVersion: 'apps' } }),
  bad('scaleTargetRef.kind', 'a kind with a slash', { scaleTargetRef: { name: 'a', kind: 'Deployment/scale' } }),
  bad('route', 'a route that is no label', { route: 'a"b' }),
  bad('route', 'an empty route', { route: '' }),
  bad('minReplicas', 'fewer than none', { minReplicas: -1 }),
  bad('minReplicas', 'half a replica', { minReplicas: 1.5 }),
  bad('maxReplicas', 'none at most', { minReplicas: 0, maxReplicas: 0 }),
  bad('maxReplicas', 'less than the minimum', { minReplicas: 6 }),
  bad('maxReplicas', 'a text', { maxReplicas: '5' }),
  bad('maxReplicas', 'far too many', { maxReplicas: 100_001 }),
  bad('objective.latency', 'no latency', { objective: {} }),
  bad('objective.latency', 'no unit', { objective: { latency: '2' } }),
  bad('objective.latency', 'a number', { objective: { latency: 2 } }),
  bad('objective.latency', 'no time at all', { objective: { latency: '0s' } }),
  bad('objective.latency', 'less than a millisecond', { objective: { latency: '0.5ms' } }),
  bad('objective.latency', 'more than ten minutes', { objective: { latency: '10m1s' } }),
  bad('objective.latency', 'a negative time', { objective: { latency: '-2s' } }),
  bad('objective.latency', 'a unit that is none', { objective: { latency: '2d' } }),
  bad('objective.latency', 'a very long text', { objective: { latency: '1s'.repeat(9) } }),
  bad('objective.metric', 'a metric that is none', { objective: { latency: '2s', metric: 'queue' } }),
  bad('objective.percentile', 'below the median', { objective: { latency: '2s', percentile: 49 } }),
  bad('objective.percentile', 'all of them', { objective: { latency: '2s', percentile: 100 } }),
  bad('objective.percentile', 'almost all of them', { objective: { latency: '2s', percentile: '99.999' } }),
  bad('objective.percentile', 'a word', { objective: { latency: '2s', percentile: 'most' } }),
  bad('objective.percentile', 'a fraction that is no text', { objective: { latency: '2s', percentile: 99.9 } }),
  bad(
    'behavior.scaleDown.stabilizationWindowSeconds',
    'too long a window',
    down({ stabilizationWindowSeconds: 3_601 }),
  ),
  bad('behavior.scaleDown.selectPolicy', 'a choice that is none', down({ selectPolicy: 'Min' })),
  bad('type', 'a policy of an unknown type', policy({ type: 'Nodes' })),
  bad('value', 'a policy that allows nothing', policy({ value: 0 })),
  bad('periodSeconds', 'a period of nothing', policy({ periodSeconds: 0 })),
  bad('periodSeconds', 'a period of an hour', policy({ periodSeconds: 3_600 })),
  bad('policies', 'too many policies', {
    behavior: {
      scaleUp: { policies: Array.from({ length: 11 }, () => ({ type: 'Pods', value: 1, periodSeconds: 1 })) },
    },
  }),
  bad('minReplicas', 'to zero but never down', { minReplicas: 0, ...down({ selectPolicy: 'Disabled' }) }),
  bad('capacity.slotsPerReplica', 'no slots', { capacity: { slotsPerReplica: 0 } }),
  bad('coldStart', 'a cold start of a day', { coldStart: '24h' }),
  bad('coldStart', 'a cold start in words', { coldStart: 'slow' }),
  bad('windows', 'no windows', { windows: [] }),
  bad('windows', 'windows that do not ascend', { windows: ['30s', '10s'] }),
  bad('windows', 'the same window twice', { windows: ['60s', '1m'] }),
  bad('windows', 'too short a window', { windows: ['500ms'] }),
  bad('windows', 'too many windows', { windows: ['1s', '2s', '3s', '4s', '5s', '6s', '7s'] }),
  bad('windows', 'a window that is none', { windows: ['10s', 'later'] }),
  bad('fallback.replicas', 'a fallback over the maximum', { fallback: { replicas: 6 } }),
  bad('fallback.replicas', 'a fallback without a number', { fallback: { afterFailures: 3 } }),
  bad('fallback.replicas', 'a fallback to none', { fallback: { replicas: 0 } }),
  bad('fallback.afterFailures', 'a fallback before anything failed', { fallback: { replicas: 1, afterFailures: 0 } }),
  bad('idleAfter', 'idle for too long', { idleAfter: '25h' }),
  bad('mode', 'a mode that is none', { mode: 'Auto' }),
];
