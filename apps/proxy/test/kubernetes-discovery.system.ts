/** Does the discovery see what a real API server says of a Service, and bear it when the server goes away? */
import type { KubeConfig } from '@kubernetes/client-node';
import { KubernetesCollection } from '@ragscale/kubernetes/collection';
import { loadKubeConfig } from '@ragscale/kubernetes/credentials';
import { type Listed, ListWatch } from '@ragscale/kubernetes/list-watch';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type ControlPlane,
  missingForControlPlane,
  startControlPlane,
} from '../../../test/cluster/control-plane/control-plane.ts';
import type { FoundEndpoint } from '../src/discovery/discovery.ts';
import { endpointSliceSchema } from '../src/discovery/endpoint-slices.ts';
import { type KubernetesDiscovery, openKubernetesDiscovery } from '../src/discovery/kubernetes-discovery.ts';
import { watchReadyCount } from '../src/discovery/ready-count.ts';

const missing = missingForControlPlane();
const NAMESPACE = 'rag';
const SLICES = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`;
const WITHIN = { timeout: 20_000, interval: 20 };

let plane: ControlPlane;
let serviceNumber = 0;
let service: string;
let lines: string[];
const open: KubernetesDiscovery[] = [];

describe.skipIf(missing)(`discovery with a real API server${missing ? ` (skipped: ${missing})` : ''}`, () => {
  beforeAll(async () => {
    plane = await startControlPlane();
    await plane.createNamespace(NAMESPACE);
  });
  afterAll(() => plane?.stop());
  beforeEach(() => {
    service = `rag-${++serviceNumber}`;
    lines = [];
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((discovery) => discovery.stop()));
  });

  it('sees slices made, changed and deleted', async () => {
    const { lists, latest } = await watched();
    expect(latest()).toEqual([]);
    await createSlice('a', [pod('10.0.0.1'), pod('10.0.0.2', { ready: false })]);
    await vi.waitFor(() => expect(latest()).toEqual(['10.0.0.1:8000 ready', '10.0.0.2:8000 not-ready']), WITHIN);
    await changeSlice('a', [pod('10.0.0.1'), pod('10.0.0.2')]);
    await vi.waitFor(() => expect(latest()).toEqual(['10.0.0.1:8000 ready', '10.0.0.2:8000 ready']), WITHIN);
    await plane.request('DELETE', `${SLICES}/${service}-a`);
    await vi.waitFor(() => expect(latest()).toEqual([]), WITHIN);
    expect(lists).toHaveLength(4);
  });

  it('sees that a pod ends', async () => {
    await createSlice('a', [pod('10.0.0.1'), pod('10.0.0.2')]);
    const { latest } = await watched();
    await changeSlice('a', [pod('10.0.0.1', { ready: false, serving: true, terminating: true }), pod('10.0.0.2')]);
    await vi.waitFor(() => expect(latest()).toEqual(['10.0.0.1:8000 terminating', '10.0.0.2:8000 ready']), WITHIN);
  });

  it('merges many slices, and an endpoint that moves from one to the other counts once and stays ready', async () => {
    await createSlice('a', [pod('10.0.0.1'), pod('10.0.0.2')]);
    await createSlice('b', [pod('10.0.0.3')]);
    const { lists, latest } = await watched();
    expect(latest()).toHaveLength(3);
    await changeSlice('b', [pod('10.0.0.3'), pod('10.0.0.2', { ready: false })]);
    await changeSlice('b', [pod('10.0.0.3'), pod('10.0.0.2')]);
    await changeSlice('a', [pod('10.0.0.1')]);
    await createSlice('c', [pod('10.0.0.4')]);
    await vi.waitFor(() => expect(latest()).toHaveLength(4), WITHIN);
    expect(lists).toHaveLength(2);
  });

  it('hears of no other Service', async () => {
    const { lists } = await watched();
    const ours = service;
    service = `${ours}-other`;
    await createSlice('a', [pod('10.0.0.9')]);
    service = ours;
    await createSlice('a', [pod('10.0.0.1')]);
    await vi.waitFor(() => expect(lists).toHaveLength(2), WITHIN);
    expect(lists[1]?.map(({ id }) => id)).toEqual(['10.0.0.1:8000']);
  });

  it('prefers its zone by the hints of the slices', async () => {
    const hinted = (ip: string, zone: string) => ({ ...pod(ip), hints: { forZones: [{ name: zone }] } });
    await createSlice('a', [hinted('10.0.0.1', 'zone-a'), hinted('10.0.0.2', 'zone-b')]);
    const { lists } = await watched({ zone: 'zone-b' });
    expect(lists[0]?.map(({ local }) => local)).toEqual([false, true]);
  });

  it('counts the ready endpoints of a Service', async () => {
    await createSlice('a', [pod('10.0.0.1'), pod('10.0.0.2', { ready: false })]);
    const counts: number[] = [];
    await watchReadyCount(opened(), (count) => counts.push(count));
    await changeSlice('a', [pod('10.0.0.1'), pod('10.0.0.2')]);
    await vi.waitFor(() => expect(counts).toEqual([1, 2]), WITHIN);
  });

  it('keeps its list while the API server is dead, and goes on when it is back', async () => {
    await createSlice('a', [pod('10.0.0.1'), pod('10.0.0.2')]);
    const { lists, latest } = await watched();
    await plane.kill();
    await vi.waitFor(() => expect(lines.join()).toContain('the API server cannot be watched'), WITHIN);
    await plane.restart();
    expect(lists).toHaveLength(1);
    await vi.waitFor(() => expect(lines.join()).toContain('the API server answers again'), WITHIN);
    expect(lists).toHaveLength(1);
    await changeSlice('a', [pod('10.0.0.2')]);
    await vi.waitFor(() => expect(latest()).toEqual(['10.0.0.2:8000 ready']), WITHIN);
    expect(lists).toHaveLength(2);
  });

  it('learns what changed while it could not watch', async () => {
    await createSlice('a', [pod('10.0.0.1')]);
    const { latest } = await watched();
    await plane.kill();
    await plane.restart();
    await changeSlice('a', [pod('10.0.0.7')]);
    await vi.waitFor(() => expect(latest()).toEqual(['10.0.0.7:8000 ready']), WITHIN);
  });

  it('waits for an API server that is not there yet', async () => {
    await createSlice('a', [pod('10.0.0.1')]);
    await plane.kill();
    const starting = watched();
    await vi.waitFor(() => expect(lines.join()).toContain('the API server cannot be watched'), WITHIN);
    await plane.restart();
    expect((await starting).latest()).toEqual(['10.0.0.1:8000 ready']);
  });

  it('lists anew at once when the server has forgotten the version', async () => {
    await createSlice('a', [pod('10.0.0.1')]);
    const collection = new KubernetesCollection({
      config: plane.config(),
      path: SLICES,
      labelSelector: `kubernetes.io/service-name=${service}`,
      schema: endpointSliceSchema,
    });
    const listed: Listed<unknown>[] = [];
    const troubles: unknown[] = [];
    let objects = 0;
    const listWatch = new ListWatch({
      client: {
        async list(signal) {
          const now = await collection.list(signal);
          listed.push(now);
          // The oldest version there ever was: etcd has kept it, the API server's cache begins later.
          return listed.length === 1 ? { ...now, resourceVersion: '1' } : now;
        },
        watch: (request, signal) => collection.watch(request, signal),
      },
      onObjects: (all) => {
        objects = all.length;
      },
      onTrouble: (error) => troubles.push(error),
      onRecovered: () => undefined,
    });
    const running = listWatch.run();
    try {
      await vi.waitFor(() => expect(listed).toHaveLength(2), WITHIN);
      await createSlice('b', [pod('10.0.0.2')]);
      await vi.waitFor(() => expect(objects).toBe(2), WITHIN);
      expect(listed).toHaveLength(2);
      expect(troubles).toEqual([]);
    } finally {
      listWatch.stop();
      await running;
    }
  });

  it('needs no right but get, list and watch on endpointslices, and says so when it is missing', async () => {
    const account = `proxy-${serviceNumber}`;
    await plane.createServiceAccount(NAMESPACE, account);
    const config = plane.config(await plane.serviceAccountToken(NAMESPACE, account), NAMESPACE);
    await createSlice('a', [pod('10.0.0.1')]);
    const starting = watched({ config });
    await vi.waitFor(() => expect(lines.join()).toContain('get, list and watch on endpointslices'), WITHIN);
    expect(lines.join()).toContain('cannot list resource \\"endpointslices\\"');
    await plane.grant(NAMESPACE, account, [
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
    ]);
    const { latest } = await starting;
    expect(latest()).toEqual(['10.0.0.1:8000 ready']);
    await changeSlice('a', [pod('10.0.0.2')]);
    await vi.waitFor(() => expect(latest()).toEqual(['10.0.0.2:8000 ready']), WITHIN);
    expect(lines.filter((line) => line.includes('a right is missing'))).toHaveLength(1);
  });

  it('says once that the credentials are not accepted', async () => {
    void opened({ config: plane.config('wrong') }).start(() => undefined);
    await vi.waitFor(() => expect(lines.join()).toContain('does not accept the credentials'), WITHIN);
  });

  it('finds its credentials by KUBECONFIG', async () => {
    await createSlice('a', [pod('10.0.0.1')]);
    vi.stubEnv('KUBECONFIG', plane.kubeconfigFile);
    const { latest } = await watched({ config: loadKubeConfig() });
    vi.unstubAllEnvs();
    expect(latest()).toEqual(['10.0.0.1:8000 ready']);
  });

  it('notices that a connection is dead though nobody closed it', async () => {
    const { lists, latest } = await watched({ watchSeconds: 5 });
    // The watch is open when it has told something.
    await createSlice('a', [pod('10.0.0.1')]);
    await vi.waitFor(() => expect(lists).toHaveLength(2), WITHIN);
    plane.freeze();
    try {
      await vi.waitFor(() => expect(lines.join()).toContain('the connection is dead'), {
        timeout: 30_000,
        interval: 50,
      });
    } finally {
      plane.thaw();
    }
    expect(lists).toHaveLength(2);
    await changeSlice('a', [pod('10.0.0.2')]);
    await vi.waitFor(() => expect(latest()).toEqual(['10.0.0.2:8000 ready']), WITHIN);
  });
});

interface Options {
  readonly zone?: string;
  readonly config?: KubeConfig;
  readonly watchSeconds?: number;
}

function opened({ zone, watchSeconds, config = plane.config() }: Options = {}): KubernetesDiscovery {
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  const source = { namespace: NAMESPACE, service, port: 'http', weight: 1 };
  const discovery = openKubernetesDiscovery(source, { logger, zone, watchSeconds }, config);
  open.push(discovery);
  return discovery;
}

async function watched(options: Options = {}) {
  const lists: (readonly FoundEndpoint[])[] = [];
  await opened(options).start((found) => lists.push(found));
  return { lists, latest: () => lists.at(-1)?.map(({ id, condition }) => `${id} ${condition}`) };
}

function pod(ip: string, conditions: object = { ready: true, serving: true, terminating: false }) {
  return { addresses: [ip], conditions, targetRef: { kind: 'Pod', name: `pod-${ip}`, uid: `uid-${ip}` } };
}

function slice(suffix: string, endpoints: readonly object[]) {
  return {
    metadata: { name: `${service}-${suffix}`, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8000, protocol: 'TCP' }],
    endpoints,
  };
}

async function createSlice(suffix: string, endpoints: readonly object[]): Promise<void> {
  await plane.request('POST', SLICES, slice(suffix, endpoints));
}

async function changeSlice(suffix: string, endpoints: readonly object[]): Promise<void> {
  await plane.request('PATCH', `${SLICES}/${service}-${suffix}`, slice(suffix, endpoints));
}
