/** What do the tests of the cluster side share? A real API server, a namespace for each test, and a cluster side with the rights that it needs. */
import type { KubeConfig } from '@kubernetes/client-node';
import { KubernetesClient } from '@ragscale/kubernetes/api-client';
import { realClock } from '@ragscale/service/clock';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../../test/cluster/control-plane/control-plane.ts';
import type { FleetState } from '../src/fleet.ts';
import { ClusterSide } from '../src/kubernetes/cluster-side.ts';
import type { Namespaces } from '../src/kubernetes/namespaced-watch.ts';
import { type Rule, scaleRule, TARGET_RULES } from '../src/kubernetes/rules.ts';
import type { Status } from '../src/kubernetes/status.ts';
import type { Target } from '../src/target.ts';
import { defineKind, defineLatencyAutoscaler, GROUP, Room, WITHIN } from './cluster-fixture.ts';
import { kedaKind, serverKind } from './other-kinds.ts';

export const RULES: readonly Rule[] = [...TARGET_RULES, scaleRule('example.com', 'servers')];
export const RESOURCES = 'latencyautoscalers';

export interface SideOptions {
  readonly config?: KubeConfig;
  readonly namespaces?: Namespaces;
  readonly remainingMs?: () => number;
}

/** For the `describe` that calls it: starts the API server, and makes a room before each test. */
export function useClusterSide(): ClusterSideWorld {
  const world = new ClusterSideWorld();
  beforeAll(() => world.start());
  afterAll(() => world.stop());
  beforeEach(() => world.enterRoom());
  afterEach(() => world.close());
  return world;
}

export class ClusterSideWorld {
  plane!: ControlPlane;
  /** Of the present test. */
  room!: Room;
  /** What was logged in it. */
  lines: string[] = [];
  #rooms = 0;
  readonly #open: { side: ClusterSide; api: KubernetesClient }[] = [];

  async start(): Promise<void> {
    this.plane = await startControlPlane();
    await defineLatencyAutoscaler(this.plane);
    await defineKind(this.plane, serverKind(), 'example.com/v1', 'servers');
    await defineKind(this.plane, kedaKind(), 'keda.sh/v1alpha1', 'scaledobjects');
  }

  async stop(): Promise<void> {
    await this.plane?.stop();
  }

  async enterRoom(): Promise<void> {
    this.room = new Room(this.plane, `rag-${++this.#rooms}`);
    await this.plane.createNamespace(this.room.namespace);
    this.lines = [];
  }

  async close(): Promise<void> {
    for (const { side, api } of this.#open.splice(0)) {
      await side.stop();
      await api.close();
    }
  }

  opened({ config = this.plane.config(), namespaces, remainingMs = () => 10_000 }: SideOptions) {
    const logger = pino(
      { level: 'info' },
      { write: (line: string) => this.lines.push((JSON.parse(line) as { msg: string }).msg) },
    );
    const api = new KubernetesClient(config);
    const side = new ClusterSide({
      ...{ config, api, logger, clock: realClock, instance: 'autoscaler-1' },
      namespaces: namespaces ?? [this.room.namespace],
      leadership: { remainingMs },
    });
    this.#open.push({ side, api });
    return { side, latest: [] as (readonly Target[])[] };
  }

  /** With the rights of `rules.ts` and no others, unless told otherwise. */
  async watched(options: SideOptions = {}) {
    const { side, latest } = this.opened({ config: await this.accountWith(RULES), ...options });
    await side.start((targets) => latest.push(targets));
    return { side, latest: () => latest.at(-1) ?? [] };
  }

  async oneTarget(replicas: number) {
    await this.room.deployment('a', replicas);
    await this.room.autoscaler('a');
    const { side, latest } = await this.watched();
    return { side, latest, a: target(latest(), 'a') };
  }

  /** Resolves when the API server knows of the rights. */
  async accountWith(rules: readonly Rule[]): Promise<KubeConfig> {
    const { namespace } = this.room;
    await this.plane.createServiceAccount(namespace, 'autoscaler');
    await this.plane.grant(namespace, 'autoscaler', rules);
    const resourceAttributes = {
      namespace,
      verb: 'get',
      group: 'example.com',
      resource: 'servers',
      subresource: 'scale',
    };
    await vi.waitFor(async () => {
      const review = await this.plane.request('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        spec: { user: `system:serviceaccount:${namespace}:autoscaler`, resourceAttributes },
      });
      expect(review).toMatchObject({ status: { allowed: true } });
    }, WITHIN);
    return this.plane.config(await this.plane.serviceAccountToken(namespace, 'autoscaler'), namespace);
  }

  async resources() {
    const { items } = await this.room.get<{
      items: { metadata: { name: string; resourceVersion: string }; status: Status }[];
    }>(GROUP, RESOURCES);
    return items;
  }

  async statusOf(name: string): Promise<Status> {
    const { status = {} } = await this.room.get<{ status?: Status }>(GROUP, `${RESOURCES}/${name}`);
    return status;
  }

  async eventReasons(): Promise<string[]> {
    return (await this.room.events()).map(({ reason }) => reason).sort();
  }
}

export function target(targets: readonly Target[], name: string): Target {
  const found = targets.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no target ${name}`);
  return found;
}

/** Pods are known by a watch, which is a little later than the scale. */
export async function lookedUntil(
  side: ClusterSide,
  one: Target,
  holds: (state: FleetState) => boolean,
): Promise<FleetState> {
  return await vi.waitFor(async () => {
    const state = await side.fleet.look(one, later());
    if (!holds(state)) throw new Error(`not yet: ${JSON.stringify(state)}`);
    return state;
  }, WITHIN);
}

export function holding({ conditions = [] }: Status): string[] {
  return conditions.flatMap(({ type, status }) => (status === 'True' ? [type] : [])).sort();
}

export function later(): AbortSignal {
  return AbortSignal.timeout(10_000);
}

export function container(): object {
  return { name: 'rag', image: 'rag', imageID: '', ready: false, restartCount: 0 };
}
