/** Does a real API server refuse what our own code would refuse, in words that name the field? And does `kubectl get las` read well? */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ControlPlane,
  missingForControlPlane,
  startControlPlane,
} from '../../../test/cluster/control-plane/control-plane.ts';
import { latencyAutoscalerSchema, targetOf } from '../src/kubernetes/latency-autoscaler.ts';
import { ask, createFromFile, defineLatencyAutoscaler, GROUP, kindOf, Room } from './cluster-fixture.ts';
import { JUDGED_SPECS, specWith } from './specs.ts';

const missing = missingForControlPlane();
const NAMESPACE = 'rag';
const RESOURCES = `${GROUP}/namespaces/${NAMESPACE}/latencyautoscalers`;

let plane: ControlPlane;
let room: Room;

describe.skipIf(missing)(
  `the LatencyAutoscaler with a real API server${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    beforeAll(async () => {
      plane = await startControlPlane();
      await plane.createNamespace(NAMESPACE);
      await defineLatencyAutoscaler(plane);
      room = new Room(plane, NAMESPACE);
    });
    afterAll(() => plane?.stop());

    it.each(JUDGED_SPECS.filter(({ wrong }) => wrong === undefined))('accepts $name, as we do', async ({ spec }) => {
      expect(judged(await create(spec, '?dryRun=All'))).toHaveProperty('target');
    });

    it.each(JUDGED_SPECS.filter(({ wrong }) => wrong !== undefined))('refuses $name, as we do', async (one) => {
      const { spec, wrong = '' } = one;
      const metadata = { name: 'a', namespace: NAMESPACE, uid: 'a', creationTimestamp: '' };
      expect(judged({ metadata, spec })).toHaveProperty('problem.reason', 'InvalidSpec');
      await expect(create(spec, '?dryRun=All')).rejects.toThrow(new RegExp(`spec[^ ]*${wrong.replaceAll('.', '\\.')}`));
    });

    it('fills in what is not given', async () => {
      const made = await create(specWith(down()), '?dryRun=All');
      expect(made).toMatchObject({
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'rag' },
          minReplicas: 1,
          objective: { metric: 'duration', percentile: 95 },
          behavior: { scaleDown: { selectPolicy: 'Max' } },
          idleAfter: '5m',
          mode: 'Active',
        },
      });
    });

    it('takes the rules of CEL as cheap enough, and every schema as structural', async () => {
      const at = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/latencyautoscalers.ragscale.dev';
      const { status } = (await plane.request('GET', at)) as {
        status: { conditions: { type: string; status: string }[] };
      };
      const holding = status.conditions.filter((one) => one.status === 'True').map(({ type }) => type);
      expect(holding.sort()).toEqual(['Established', 'NamesAccepted']);
    });

    it.each(['batched', 'scale-to-zero', 'recommend'])('accepts the sample %s', async (name) => {
      const made = await createFromFile(plane, RESOURCES, `k8s/samples/${name}.yaml`);
      expect(judged(made)).toHaveProperty('target');
    });

    it('reads like an HPA', async () => {
      await room.autoscaler('shown', specWith({ minReplicas: 2 }));
      await room.patch(GROUP, 'latencyautoscalers/shown/status', {
        status: {
          currentReplicas: 3,
          desiredReplicas: 4,
          good: '99.2%',
          lastDecision: { time: '2026-11-22T10:00:00Z', reason: 'load', explanation: '3 -> 4' },
        },
      });
      const { columns, cells } = await tableOf('shown');
      expect(columns.map(({ name }) => name)).toEqual([
        ...['Name', 'Reference', 'Objective', 'Good', 'MinPods', 'MaxPods', 'Replicas', 'Desired', 'Reason', 'Age'],
        ...['Kind', 'Metric', 'Percentile', 'Mode', 'Ready', 'Recommended', 'Explanation'],
      ]);
      const shown = columns.flatMap(({ name, priority }, i) => (priority === 0 && name !== 'Age' ? [cells[i]] : []));
      expect(shown).toEqual(['shown', 'rag', '2s', '99.2%', 2, 5, 3, 4, 'load']);
    });

    it('changes its status only by its own subresource, and its generation only by its spec', async () => {
      await room.autoscaler('apart');
      await room.patch(GROUP, 'latencyautoscalers/apart', { status: { currentReplicas: 7 } });
      await room.patch(GROUP, 'latencyautoscalers/apart/status', {
        status: { readyReplicas: 2 },
        spec: { maxReplicas: 9 },
      });
      const found = await room.get<Record<string, unknown>>(GROUP, 'latencyautoscalers/apart');
      expect(found).toMatchObject({
        metadata: { generation: 1 },
        spec: { maxReplicas: 5 },
        status: { readyReplicas: 2 },
      });
      expect(found).not.toHaveProperty('status.currentReplicas');
    });

    it('is found by its short name and among all', async () => {
      const { resources } = (await plane.request('GET', GROUP)) as { resources: { name: string }[] };
      expect(resources.find(({ name }) => name === 'latencyautoscalers')).toMatchObject({
        shortNames: ['las'],
        categories: ['all'],
      });
    });
  },
);

/** What has not been stored has no version. */
function judged(made: unknown) {
  const { metadata, ...rest } = made as { metadata: object };
  return targetOf(latencyAutoscalerSchema.parse({ ...rest, metadata: { resourceVersion: '1', ...metadata } }));
}

function down(): object {
  return { behavior: { scaleDown: { policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } } };
}

function create(spec: object, query = ''): Promise<unknown> {
  return plane.request('POST', RESOURCES + query, { ...kindOf(), metadata: { generateName: 'a-' }, spec });
}

/** As kubectl asks. */
async function tableOf(name: string) {
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const table = (await ask(plane, `${RESOURCES}/${name}`, { accept })) as {
    columnDefinitions: { name: string; priority: number }[];
    rows: { cells: unknown[] }[];
  };
  return { columns: table.columnDefinitions, cells: table.rows[0]?.cells ?? [] };
}
