/** Does what talks to Kubernetes do its part with a real API server: targets, their scale, what is told about them? The test is the kubelet. */
import type { KubeConfig } from '@kubernetes/client-node';
import { KubernetesClient } from '@ragscale/kubernetes/api-client';
import { realClock } from '@ragscale/service/clock';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type ControlPlane,
  missingForControlPlane,
  startControlPlane,
} from '../../../test/cluster/control-plane/control-plane.ts';
import type { FleetState } from '../src/fleet.ts';
import { ClusterSide } from '../src/kubernetes/cluster-side.ts';
import type { Namespaces } from '../src/kubernetes/namespaced-watch.ts';
import { type Rule, scaleRule, TARGET_RULES } from '../src/kubernetes/rules.ts';
import type { Status } from '../src/kubernetes/status.ts';
import type { Target } from '../src/target.ts';
import { defineKind, defineLatencyAutoscaler, GROUP, Room, WITHIN } from './cluster-fixture.ts';
import { measuredWith, reportWith, value } from './reports.ts';
import { specWith } from './specs.ts';

const missing = missingForControlPlane();
const RULES: readonly Rule[] = [...TARGET_RULES, scaleRule('example.com', 'servers')];
const RESOURCES = 'latencyautoscalers';

let plane: ControlPlane;
let rooms = 0;
let room: Room;
let lines: string[];
const open: { side: ClusterSide; api: KubernetesClient }[] = [];

describe.skipIf(missing)(`the cluster side with a real API server${missing ? ` (skipped: ${missing})` : ''}`, () => {
  beforeAll(async () => {
    plane = await startControlPlane();
    await defineLatencyAutoscaler(plane);
    await defineKind(plane, serverKind(), 'example.com/v1', 'servers');
    await defineKind(plane, kedaKind(), 'keda.sh/v1alpha1', 'scaledobjects');
  });
  afterAll(() => plane?.stop());
  beforeEach(async () => {
    room = new Room(plane, `rag-${++rooms}`);
    await plane.createNamespace(room.namespace);
    lines = [];
  });
  afterEach(async () => {
    for (const { side, api } of open.splice(0)) {
      await side.stop();
      await api.close();
    }
  });

  describe('targets', () => {
    it('come, change and go with their resources', async () => {
      await room.autoscaler('a');
      const { latest } = await watched();
      expect(latest().map(({ id }) => id)).toEqual([`${room.namespace}/a`]);
      const { generation } = target(latest(), 'a');
      await room.autoscaler('b', specWith({ scaleTargetRef: { name: 'b' }, route: 'other' }));
      await vi.waitFor(() => expect(target(latest(), 'b').route).toBe('other'), WITHIN);
      expect(target(latest(), 'a').generation).toBe(generation);

      await room.patch(GROUP, `${RESOURCES}/a`, { spec: { maxReplicas: 9 } });
      await vi.waitFor(() => expect(target(latest(), 'a').policy.maxReplicas).toBe(9), WITHIN);
      expect(target(latest(), 'a').generation).not.toBe(generation);
      await room.delete(GROUP, `${RESOURCES}/a`);
      await vi.waitFor(() => expect(latest().map(({ name }) => name)).toEqual(['b']), WITHIN);
    });

    it('are paused and resumed by annotations, each of them an edit', async () => {
      await room.autoscaler('a');
      const { latest } = await watched();
      const generations = [target(latest(), 'a').generation];
      const annotate = async (annotations: object, pause: object) => {
        await room.patch(GROUP, `${RESOURCES}/a`, { metadata: { annotations } });
        await vi.waitFor(() => {
          const { paused, pausedReplicas } = target(latest(), 'a').policy;
          expect({ paused, pausedReplicas }).toEqual(pause);
        }, WITHIN);
        generations.push(target(latest(), 'a').generation);
      };
      await annotate({ 'ragscale.dev/paused': 'true' }, { paused: true });
      await annotate({ 'ragscale.dev/paused-replicas': '3' }, { paused: true, pausedReplicas: 3 });
      await annotate({ 'ragscale.dev/paused-replicas': null }, { paused: true });
      await annotate({ 'ragscale.dev/paused': null }, {});
      expect(new Set(generations).size).toBe(generations.length);
    });

    it('are another one when they are deleted and made again', async () => {
      await room.autoscaler('a');
      const { latest } = await watched();
      const before = target(latest(), 'a').generation;
      await room.delete(GROUP, `${RESOURCES}/a`);
      await room.autoscaler('a');
      await vi.waitFor(() => expect(target(latest(), 'a').generation).not.toBe(before), WITHIN);
    });

    it('are scaled by the older one of two, and the other is told', async () => {
      await room.autoscaler('a', specWith({ scaleTargetRef: { name: 'rag' } }));
      const { latest } = await watched();
      await room.autoscaler('b', specWith({ scaleTargetRef: { name: 'rag', apiVersion: 'apps/v1' } }));
      await vi.waitFor(async () => {
        const [ready] = (await statusOf('b')).conditions ?? [];
        expect(ready).toMatchObject({ type: 'Ready', status: 'False', reason: 'AmbiguousOwner' });
        expect(ready?.message).toContain('the LatencyAutoscaler a scales Deployment/rag already');
      }, WITHIN);
      await vi.waitFor(async () => expect(await eventReasons()).toEqual(['AmbiguousOwner']), WITHIN);
      expect(latest().map(({ name }) => name)).toEqual(['a']);
      await room.delete(GROUP, `${RESOURCES}/a`);
      await vi.waitFor(() => expect(latest().map(({ name }) => name)).toEqual(['b']), WITHIN);
    });

    it('are left alone when an annotation cannot be understood', async () => {
      await room.autoscaler('a', undefined, { 'ragscale.dev/paused-replicas': 'three' });
      const { latest } = await watched();
      await vi.waitFor(async () => {
        const [ready] = (await statusOf('a')).conditions ?? [];
        expect(ready).toMatchObject({ status: 'False', reason: 'InvalidAnnotation' });
        expect(ready?.message).toContain('must be a number of replicas, not three');
      }, WITHIN);
      expect(latest()).toEqual([]);
    });

    it('of one namespace do not wait for another that we may not see', async () => {
      await room.autoscaler('a');
      const { latest } = await watched({ namespaces: ['elsewhere', room.namespace] });
      expect(latest().map(({ name }) => name)).toEqual(['a']);
      expect(lines.join()).toContain('on latencyautoscalers (API group "ragscale.dev") in the namespace elsewhere');
    });

    it('of all namespaces are watched at once', async () => {
      await room.autoscaler('a');
      const { latest } = await watched({ namespaces: 'all', config: plane.config() });
      expect(latest().map(({ id }) => id)).toContain(`${room.namespace}/a`);
    });
  });

  describe('scaling', () => {
    it.each([
      ['Deployment', 'deployments'],
      ['StatefulSet', 'statefulsets'],
    ] as const)('reads and changes a %s', async (kind, plural) => {
      await room.deployment('a', 2, plural);
      await room.pod('a-1', 'a');
      await room.pod('a-2', 'a', {
        conditions: [{ type: 'Ready', status: 'False' }],
        containerStatuses: [
          { ...container(), state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } },
        ],
      });
      await room.pod('other', 'b');
      await room.autoscaler('a', specWith({ scaleTargetRef: { kind, name: 'a' } }));
      const { side, latest } = await watched();
      const a = target(latest(), 'a');
      const state = await lookedUntil(side, a, ({ readyPods }) => readyPods.length === 1);
      expect(state.replicas.spec).toBe(2);
      expect(state.readyPods).toEqual(['a-1']);
      expect(state.waitingFor).toBe('a-2: ImagePullBackOff: no such image');
      const [ageMs = -1] = state.replicas.startingAgesMs;
      expect(state.replicas.startingAgesMs).toHaveLength(1);
      expect(ageMs).toBeGreaterThanOrEqual(0);
      await side.fleet.scale(a, 2, 4, later());
      expect(await room.replicas('a', plural)).toBe(4);
      await side.fleet.scale(a, 4, 0, later());
      expect((await side.fleet.look(a, later())).replicas.spec).toBe(0);
    });

    it('takes whatever has a scale subresource', async () => {
      await room.create('/apis/example.com/v1', 'servers', {
        ...{ apiVersion: 'example.com/v1', kind: 'Server', metadata: { name: 'a' } },
        spec: { replicas: 1 },
        status: {},
      });
      await room.patch('/apis/example.com/v1', 'servers/a/status', { status: { selector: 'app in (a), !canary' } });
      await room.pod('a-1', 'a');
      const scaleTargetRef = { apiVersion: 'example.com/v1', kind: 'Server', name: 'a' };
      await room.autoscaler('a', specWith({ scaleTargetRef }));
      const { side, latest } = await watched();
      const a = target(latest(), 'a');
      const state = await lookedUntil(side, a, ({ readyPods }) => readyPods.length === 1);
      expect(state).toMatchObject({ replicas: { spec: 1, ready: 1 } });
      await side.fleet.scale(a, 1, 3, later());
      expect((await side.fleet.look(a, later())).replicas.spec).toBe(3);
      await room.patch('/apis/example.com/v1', 'servers/a', { spec: { replicas: 5 } });
      await expect(side.fleet.scale(a, 3, 4, later())).rejects.toMatchObject({ problem: { reason: 'Conflict' } });
    });

    it('does not mind that our clock is an hour off', async () => {
      const { side, a } = await oneTarget(1);
      await room.pod('a-1', 'a', { conditions: [] });
      const realNow = Date.now;
      const spy = vi.spyOn(Date, 'now').mockImplementation(() => realNow() + 3_600_000);
      try {
        const state = await lookedUntil(side, a, ({ replicas }) => replicas.startingAgesMs.length === 1);
        expect(state.replicas.startingAgesMs[0]).toBeLessThan(60_000);
      } finally {
        spy.mockRestore();
      }
    });

    it('writes although the status has changed since the look', async () => {
      const { side, a } = await oneTarget(2);
      await side.fleet.look(a, later());
      await room.patch('/apis/apps/v1', 'deployments/a/status', { status: { replicas: 1 } });
      await side.fleet.scale(a, 2, 3, later());
      expect(await room.replicas('a')).toBe(3);
    });

    it('writes nothing when somebody else has changed the number since the look', async () => {
      const { side, a } = await oneTarget(2);
      await side.fleet.look(a, later());
      await room.patch('/apis/apps/v1', 'deployments/a', { spec: { replicas: 5 } });
      await expect(side.fleet.scale(a, 2, 3, later())).rejects.toThrow(
        'somebody else has changed Deployment/a from 2 to 5',
      );
      expect(await room.replicas('a')).toBe(5);
    });

    it('says that the target is not there, and goes on when it is', async () => {
      await room.autoscaler('a');
      const { side, latest } = await watched();
      const a = target(latest(), 'a');
      await expect(side.fleet.look(a, later())).rejects.toMatchObject({
        problem: { reason: 'TargetNotFound', message: expect.stringContaining('there is no Deployment/a') },
      });
      await room.deployment('a', 2);
      expect((await side.fleet.look(a, later())).replicas.spec).toBe(2);
      await room.delete('/apis/apps/v1', 'deployments/a');
      await expect(side.fleet.scale(a, 2, 3, later())).rejects.toMatchObject({ problem: { reason: 'TargetNotFound' } });
      await room.deployment('a', 4);
      expect((await side.fleet.look(a, later())).replicas.spec).toBe(4);
    });

    it('says that a kind cannot be scaled, or is none', async () => {
      await room.autoscaler('a', specWith({ scaleTargetRef: { apiVersion: 'v1', kind: 'ConfigMap', name: 'a' } }));
      await room.autoscaler('b', specWith({ scaleTargetRef: { kind: 'Deploymint', name: 'a' } }));
      const { side, latest } = await watched();
      await expect(side.fleet.look(target(latest(), 'a'), later())).rejects.toThrow('has no scale subresource');
      await expect(side.fleet.look(target(latest(), 'b'), later())).rejects.toThrow(
        'Deploymint of apps/v1 is not known',
      );
    });

    it('refuses what an HPA or KEDA scales', async () => {
      await room.deployment('a', 2);
      await room.deployment('b', 2);
      await room.create('/apis/autoscaling/v2', 'horizontalpodautoscalers', {
        metadata: { name: 'hpa' },
        spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' }, maxReplicas: 3 },
      });
      await room.create('/apis/keda.sh/v1alpha1', 'scaledobjects', {
        ...{ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: { name: 'keda' } },
        spec: { scaleTargetRef: { name: 'b' } },
      });
      await room.autoscaler('a');
      await room.autoscaler('b');
      const { side, latest } = await watched();
      const reason = 'AmbiguousOwner';
      await expect(side.fleet.look(target(latest(), 'a'), later())).rejects.toMatchObject({
        problem: { reason, message: expect.stringContaining('HorizontalPodAutoscaler hpa scales Deployment/a too') },
      });
      await expect(side.fleet.look(target(latest(), 'b'), later())).rejects.toMatchObject({
        problem: { reason, message: expect.stringContaining('ScaledObject keda scales Deployment/b too') },
      });
    });
  });

  describe('rights', () => {
    const single = TARGET_RULES.flatMap((rule) =>
      rule.verbs.map((verb) => ({ verb, rule, resource: rule.resources[0]! })),
    );

    it.each(single)('says that $verb on $resource is missing', async ({ verb, rule, resource }) => {
      const rules = RULES.map((one) =>
        one === rule ? { ...one, verbs: one.verbs.filter((other) => other !== verb) } : one,
      );
      const config = await accountWith(rules.filter(({ verbs }) => verbs.length > 0));
      await room.deployment('a', 2);
      await room.autoscaler('a');
      const troubles: string[] = [];
      const { side, latest } = opened({ config });
      void side.start((targets) => latest.push(targets));
      const isWatched = verb === 'watch' || verb === 'list';
      const needed = new RegExp(`a right is missing: bind a Role with [a-z, ]*${verb}[a-z, ]* on ${resource} `);
      await vi.waitFor(async () => {
        const a = latest.at(-1)?.[0];
        if (a !== undefined) {
          await side.fleet.look(a, later()).catch((error: Error) => troubles.push(error.message));
          await side.fleet.scale(a, 2, 3, later()).catch((error: Error) => troubles.push(error.message));
          const problem = { reason: 'FailedGetScale', message: 'for the test' };
          side.reporter.report(reportWith({ target: a, problem }));
          side.reporter.forget(a);
          side.reporter.report(reportWith({ target: a, problem }));
        } else if (!isWatched) throw new Error('no target yet');
        expect([...troubles, ...lines].join('\n')).toMatch(needed);
      }, WITHIN);
    });

    it('needs no other', async () => {
      const { side, a } = await oneTarget(2);
      await side.fleet.look(a, later());
      await side.fleet.scale(a, 2, 3, later());
      side.reporter.report(reportWith({ target: a, scaled: true }));
      await vi.waitFor(async () => expect(await statusOf('a')).toHaveProperty('lastScaleTime'), WITHIN);
      await vi.waitFor(async () => expect(await eventReasons()).toEqual(['SuccessfulRescale']), WITHIN);
      expect(lines.join()).not.toContain('a right is missing');
    });
  });

  describe('telling', () => {
    it('writes a status that people can read, and conditions that keep their time', async () => {
      const { side, a } = await oneTarget(2);
      const estimates = { arrivalRate: 4.04, serviceMs: 512, coldStartMs: undefined } as never;
      side.reporter.report(reportWith({ target: a, estimates, measured: measuredWith({}, { isTooCoarse: true }) }));
      await vi.waitFor(async () => expect(await statusOf('a')).toHaveProperty('observedGeneration', 1), WITHIN);
      const first = await statusOf('a');
      expect(first).toMatchObject({
        currentReplicas: 2,
        readyReplicas: 2,
        desiredReplicas: 2,
        recommendedReplicas: 2,
        good: '99%',
        lastDecision: {
          time: '2026-11-22T10:00:00Z',
          reason: 'within-tolerance',
          explanation: expect.stringContaining('2 -> 2 within-tolerance: 4/s x 0.5 s = 2 busy'),
        },
        estimates: { arrivalRate: '4', service: '510ms' },
      });
      expect(holding(first)).toEqual(['AbleToScale', 'MetricsTooCoarse', 'Ready', 'ScalingActive']);
      side.reporter.report(
        reportWith({ target: a, at: Date.parse('2026-11-22T10:00:10Z'), measured: measuredWith({}) }),
      );
      await vi.waitFor(async () => expect(holding(await statusOf('a'))).not.toContain('MetricsTooCoarse'), WITHIN);
      const times = (await statusOf('a')).conditions?.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]);
      expect(Object.fromEntries(times ?? [])).toMatchObject({
        Ready: '2026-11-22T10:00:00Z',
        MetricsTooCoarse: '2026-11-22T10:00:10Z',
      });
    });

    it('takes what vanished out of the status', async () => {
      const { side, a } = await oneTarget(2);
      const state = { replicas: { spec: 2, ready: 1, startingAgesMs: [1] }, readyPods: ['a-1'], waitingFor: 'no node' };
      side.reporter.report(reportWith({ target: a, state, estimates: { growth: 0.5 } as never }));
      await vi.waitFor(async () => expect(await statusOf('a')).toHaveProperty('waitingFor', 'no node'), WITHIN);
      side.reporter.report(reportWith({ target: a, estimates: { spread: 1 } as never }));
      await vi.waitFor(async () => {
        const status = await statusOf('a');
        expect(status).not.toHaveProperty('waitingFor');
        expect(status.estimates).toEqual({ spread: '1' });
      }, WITHIN);
    });

    it('counts an event that happens again', async () => {
      const { side, a } = await oneTarget(2);
      const problem = { reason: 'TargetNotFound', message: 'there is no Deployment/a' };
      side.reporter.report(reportWith({ target: a, problem }));
      side.reporter.report(reportWith({ target: a, problem }));
      side.reporter.report(reportWith({ target: a }));
      side.reporter.report(reportWith({ target: a, problem }));
      await vi.waitFor(async () => {
        const told = (await room.events()).map(({ type, reason, count }) => `${type} ${reason} ${count}`);
        expect(told.sort()).toEqual(['Normal Recovered 1', 'Warning TargetNotFound 2']);
      }, WITHIN);
    });

    it('tells of metrics that are missing once, and of their return', async () => {
      const { side, a } = await oneTarget(2);
      const lost = measuredWith({ rate: { kind: 'failed' } }, { trouble: 'Prometheus does not answer' });
      for (const measured of [measuredWith({}), lost, lost, measuredWith({ rate: value(3) })]) {
        side.reporter.report(reportWith({ target: a, measured }));
      }
      await vi.waitFor(
        async () => expect(await eventReasons()).toEqual(['MetricsMissing', 'MetricsRecovered']),
        WITHIN,
      );
    });

    it('leaves another resource of the same name alone', async () => {
      await room.autoscaler('b');
      const patch = [
        { op: 'test', path: '/metadata/uid', value: 'other' },
        { op: 'add', path: '/status', value: { good: 'x' } },
      ];
      const at = `${GROUP}/namespaces/${room.namespace}/${RESOURCES}/b/status`;
      await expect(plane.request('PATCH', at, patch, 'application/json-patch+json')).rejects.toThrow(': 422 ');

      const { side, a, latest } = await oneTarget(2);
      await room.delete(GROUP, `${RESOURCES}/a`);
      await room.autoscaler('a', specWith({ scaleTargetRef: { name: 'a' }, maxReplicas: 7 }));
      side.reporter.report(reportWith({ target: a }));
      await vi.waitFor(() => expect(target(latest(), 'a').policy.maxReplicas).toBe(7), WITHIN);
      side.reporter.report(reportWith({ target: target(latest(), 'a') }));
      await vi.waitFor(async () => expect(await statusOf('a')).toHaveProperty('currentReplicas', 2), WITHIN);
    });

    it('writes nothing where another one decides', async () => {
      await room.deployment('a', 2);
      await room.autoscaler('a');
      let remainingMs = 0;
      const { side, latest } = await watched({ remainingMs: () => remainingMs });
      side.reporter.report(reportWith({ target: target(latest(), 'a') }));
      await room.autoscaler('b', undefined, { 'ragscale.dev/paused': 'perhaps' });
      await room.autoscaler('c');
      await vi.waitFor(() => expect(latest().map(({ name }) => name)).toEqual(['a', 'c']), WITHIN);
      expect(await statusOf('a')).toEqual({});
      expect(await room.events()).toEqual([]);
      remainingMs = 10_000;
      await vi.waitFor(async () => expect(await statusOf('a')).toHaveProperty('currentReplicas', 2), WITHIN);
      await vi.waitFor(async () => expect(await statusOf('b')).toHaveProperty('conditions'), WITHIN);
    });
  });

  it('bears it that the API server dies and comes back', async () => {
    const { side, a, latest } = await oneTarget(2);
    await side.fleet.look(a, later());
    await plane.kill();
    await expect(side.fleet.look(a, later())).rejects.toMatchObject({ problem: { reason: 'FailedGetScale' } });
    await expect(side.fleet.scale(a, 2, 3, later())).rejects.toMatchObject({
      problem: { reason: 'FailedUpdateScale' },
    });
    side.reporter.report(reportWith({ target: a }));
    await plane.restart();
    await room.pod('a-1', 'a');
    await room.patch(GROUP, `${RESOURCES}/a`, { spec: { minReplicas: 2 } });
    await vi.waitFor(() => expect(target(latest(), 'a').policy.minReplicas).toBe(2), WITHIN);
    const state = await lookedUntil(side, target(latest(), 'a'), ({ readyPods }) => readyPods.length === 1);
    expect(state.replicas.spec).toBe(2);
    await side.fleet.scale(target(latest(), 'a'), 2, 3, later());
    side.reporter.report(reportWith({ target: target(latest(), 'a') }));
    await vi.waitFor(async () => expect(await statusOf('a')).toHaveProperty('observedGeneration', 2), WITHIN);
  });

  it('looks after 200 resources at once, and does not write their statuses while nothing changes', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `a-${i}`);
    for (let i = 0; i < names.length; i += 20) {
      await Promise.all(
        names
          .slice(i, i + 20)
          .flatMap((name) => [room.deployment(name, 1), room.autoscaler(name), room.pod(name, name)]),
      );
    }
    const { side, latest } = await watched();
    expect(latest()).toHaveLength(200);
    await lookedUntil(side, target(latest(), 'a-199'), ({ readyPods }) => readyPods.length === 1);
    const states = await Promise.all(latest().map((one) => side.fleet.look(one, later())));
    expect(states.every(({ replicas }) => replicas.spec === 1 && replicas.ready === 1)).toBe(true);
    for (const one of latest()) side.reporter.report(reportWith({ target: one }));
    await vi.waitFor(async () => {
      for (const { status } of await resources()) expect(status).toHaveProperty('currentReplicas', 2);
    }, WITHIN);
    const before = await resources();
    for (const one of latest())
      side.reporter.report(reportWith({ target: one, measured: measuredWith({ bad: value(0.02) }) }));
    const state = { replicas: { spec: 3, ready: 2, startingAgesMs: [1] }, readyPods: [] };
    side.reporter.report(reportWith({ target: target(latest(), 'a-0'), state }));
    await vi.waitFor(async () => expect(await statusOf('a-0')).toHaveProperty('currentReplicas', 3), WITHIN);
    const after = await resources();
    const written = after.filter(({ metadata }, i) => metadata.resourceVersion !== before[i]?.metadata.resourceVersion);
    expect(written.map(({ metadata }) => metadata.name)).toEqual(['a-0']);
    expect(await room.events()).toEqual([]);
  });
});

interface Options {
  readonly config?: KubeConfig;
  readonly namespaces?: Namespaces;
  readonly remainingMs?: () => number;
}

function opened({ config = plane.config(), namespaces, remainingMs = () => 10_000 }: Options) {
  const logger = pino(
    { level: 'info' },
    { write: (line: string) => lines.push((JSON.parse(line) as { msg: string }).msg) },
  );
  const api = new KubernetesClient(config);
  const side = new ClusterSide({
    ...{ config, api, logger, clock: realClock, instance: 'autoscaler-1' },
    namespaces: namespaces ?? [room.namespace],
    leadership: { remainingMs },
  });
  open.push({ side, api });
  return { side, latest: [] as (readonly Target[])[] };
}

/** With the rights of `rules.ts` and no others, unless told otherwise. */
async function watched(options: Options = {}) {
  const { side, latest } = opened({ config: await accountWith(RULES), ...options });
  await side.start((targets) => latest.push(targets));
  return { side, latest: () => latest.at(-1) ?? [] };
}

async function oneTarget(replicas: number) {
  await room.deployment('a', replicas);
  await room.autoscaler('a');
  const { side, latest } = await watched();
  return { side, latest, a: target(latest(), 'a') };
}

/** Resolves when the API server knows of the rights. */
async function accountWith(rules: readonly Rule[]): Promise<KubeConfig> {
  const { namespace } = room;
  await plane.createServiceAccount(namespace, 'autoscaler');
  await plane.grant(namespace, 'autoscaler', rules);
  const resourceAttributes = {
    namespace,
    verb: 'get',
    group: 'example.com',
    resource: 'servers',
    subresource: 'scale',
  };
  await vi.waitFor(async () => {
    const review = await plane.request('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      spec: { user: `system:serviceaccount:${namespace}:autoscaler`, resourceAttributes },
    });
    expect(review).toMatchObject({ status: { allowed: true } });
  }, WITHIN);
  return plane.config(await plane.serviceAccountToken(namespace, 'autoscaler'), namespace);
}

function target(targets: readonly Target[], name: string): Target {
  const found = targets.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no target ${name}`);
  return found;
}

/** Pods are known by a watch, which is a little later than the scale. */
async function lookedUntil(side: ClusterSide, one: Target, holds: (state: FleetState) => boolean): Promise<FleetState> {
  return await vi.waitFor(async () => {
    const state = await side.fleet.look(one, later());
    if (!holds(state)) throw new Error(`not yet: ${JSON.stringify(state)}`);
    return state;
  }, WITHIN);
}

async function resources() {
  const { items } = await room.get<{
    items: { metadata: { name: string; resourceVersion: string }; status: Status }[];
  }>(GROUP, RESOURCES);
  return items;
}

async function statusOf(name: string): Promise<Status> {
  const { status = {} } = await room.get<{ status?: Status }>(GROUP, `${RESOURCES}/${name}`);
  return status;
}

function holding({ conditions = [] }: Status): string[] {
  return conditions.flatMap(({ type, status }) => (status === 'True' ? [type] : [])).sort();
}

async function eventReasons(): Promise<string[]> {
  return (await room.events()).map(({ reason }) => reason).sort();
}

function later(): AbortSignal {
  return AbortSignal.timeout(10_000);
}

function container(): object {
  return { name: 'rag', image: 'rag', imageID: '', ready: false, restartCount: 0 };
}

function serverKind(): object {
  const subresources = {
    status: {},
    scale: {
      specReplicasPath: '.spec.replicas',
      statusReplicasPath: '.status.replicas',
      labelSelectorPath: '.status.selector',
    },
  };
  return kind('example.com', 'v1', 'Server', 'servers', subresources);
}

/** The part of KEDA that counts here. */
function kedaKind(): object {
  return kind('keda.sh', 'v1alpha1', 'ScaledObject', 'scaledobjects', { status: {} });
}

function kind(group: string, version: string, name: string, plural: string, subresources: object): object {
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const properties = {
    spec: {
      type: 'object',
      properties: { replicas: { type: 'integer' } },
      'x-kubernetes-preserve-unknown-fields': true,
    },
    status: {
      type: 'object',
      properties: { replicas: { type: 'integer' }, selector: { type: 'string' } },
      'x-kubernetes-preserve-unknown-fields': true,
    },
  };
  return {
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: name, plural },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources,
          schema: { openAPIV3Schema: { ...openAPIV3Schema, properties } },
        },
      ],
    },
  };
}
