import { beforeEach, describe, expect, it } from 'vitest';
import { type Asked, FakeApi, refused } from '../../test/fake-api.ts';
import { aTarget } from '../../test/reports.ts';
import { KubernetesFleet } from './kubernetes-fleet.ts';
import type { ScaleTargetRef } from './latency-autoscaler.ts';
import { podSchema } from './pod-counts.ts';

const SIGNAL = new AbortController().signal;
const SCALE = '/apis/apps/v1/namespaces/rag/deployments/rag/scale';

let api: FakeApi;
let fleet: KubernetesFleet;
let ref: ScaleTargetRef | undefined;
/** As the API server has it. */
let replicas: number;
let version: number;
let selector: string;
/** Called before each PATCH is judged. */
let meanwhile: () => void;

beforeEach(() => {
  ref = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'rag' };
  [replicas, version, selector] = [2, 1, 'app=rag'];
  meanwhile = () => undefined;
  api = new FakeApi();
  api.answer = served;
  const pod = podSchema.parse({
    metadata: { name: 'a', namespace: 'rag', resourceVersion: '1', creationTimestamp: '2026-11-22T09:59:50Z' },
  });
  fleet = new KubernetesFleet({
    api,
    pods: { matching: () => [pod] },
    owners: { refuseOthers: async () => undefined },
    referenceOf: () => ref,
  });
});

function served({ method, path, body }: Asked): unknown {
  if (path === '/apis/apps/v1') {
    const names = ['deployments', 'deployments/scale', 'controllerrevisions'];
    const kinds: Record<string, string> = { deployments: 'Deployment', controllerrevisions: 'ControllerRevision' };
    return { resources: names.map((name) => ({ name, kind: kinds[name] ?? 'Scale', namespaced: true })) };
  }
  if (path !== SCALE) throw refused(404);
  if (method === 'PATCH') {
    meanwhile();
    const wanted = body as { metadata: { resourceVersion: string }; spec: { replicas: number } };
    if (wanted.metadata.resourceVersion !== `${version}`) throw refused(409);
    replicas = wanted.spec.replicas;
    version++;
  }
  // As Go does: what is zero is left out.
  const spec = replicas === 0 ? {} : { replicas };
  return { metadata: { resourceVersion: `${version}` }, spec, status: { selector } };
}

function writes(): number {
  return api.asked.filter(({ method }) => method === 'PATCH').length;
}

const look = () => fleet.look(aTarget, SIGNAL);
const scale = (from: number, to: number) => fleet.scale(aTarget, from, to, SIGNAL);

describe('KubernetesFleet', () => {
  it('reads the number and the ages of pods by the clock of the server', async () => {
    expect(await look()).toEqual({ replicas: { spec: 2, ready: 0, startingAgesMs: [10_000] }, readyPods: [] });
  });

  it('takes a number that is left out for none', async () => {
    replicas = 0;
    expect((await look()).replicas.spec).toBe(0);
  });

  it('asks once where the scale of a kind is', async () => {
    await look();
    await look();
    expect(api.requests).toEqual(['GET /apis/apps/v1', `GET ${SCALE}`, `GET ${SCALE}`]);
  });

  it('writes by the version that it has seen', async () => {
    await look();
    await scale(2, 3);
    expect(api.asked.at(-1)).toEqual({
      method: 'PATCH',
      path: SCALE,
      body: { metadata: { resourceVersion: '1' }, spec: { replicas: 3 } },
    });
  });

  it('looks first where it has not yet', async () => {
    await scale(2, 3);
    expect(replicas).toBe(3);
  });

  it('writes nothing that is so already', async () => {
    await look();
    await scale(2, 2);
    await expect(scale(3, 2)).resolves.toBeUndefined();
    expect(writes()).toBe(0);
  });

  it('writes again when only something else has changed', async () => {
    await look();
    let changes = 2;
    meanwhile = () => {
      if (changes-- > 0) version++;
    };
    await scale(2, 3);
    expect([replicas, writes()]).toEqual([3, 3]);
  });

  it('leaves it to somebody else who has changed the number', async () => {
    await look();
    meanwhile = () => {
      [replicas, version] = [7, version + 1];
    };
    await expect(scale(2, 3)).rejects.toMatchObject({ problem: { reason: 'Conflict' } });
    expect([replicas, writes()]).toEqual([7, 1]);
  });

  it('gives up for this round where it changes without end', async () => {
    await look();
    meanwhile = () => {
      version++;
    };
    await expect(scale(2, 3)).rejects.toMatchObject({ problem: { reason: 'Conflict' } });
    expect(writes()).toBe(4);
  });

  it.each([
    ['FailedGetScale', 500, () => look()],
    ['FailedUpdateScale', 500, () => scale(2, 3)],
    ['Forbidden', 403, () => scale(2, 3)],
    ['TargetNotFound', 404, () => look()],
    ['Unauthorized', 401, () => look()],
  ])('says what is wrong: %s', async (reason, status, act) => {
    await look();
    api.answer = () => {
      throw refused(status);
    };
    await expect(act()).rejects.toMatchObject({ problem: { reason } });
  });

  it('names the right that is missing', async () => {
    await look();
    api.answer = () => {
      throw refused(403);
    };
    await expect(scale(2, 3)).rejects.toThrow('patch on deployments/scale (API group "apps") in the namespace rag');
  });

  it('asks anew where the scale is after something was not there', async () => {
    await look();
    api.answer = () => {
      throw refused(404);
    };
    await expect(look()).rejects.toThrow('there is no Deployment/rag in the namespace rag');
    api.answer = served;
    await look();
    expect(api.requests.filter((one) => one === 'GET /apis/apps/v1')).toHaveLength(2);
  });

  it('refuses a kind that has no scale, and one that is none', async () => {
    ref = { apiVersion: 'apps/v1', kind: 'ControllerRevision', name: 'rag' };
    await expect(look()).rejects.toThrow('ControllerRevision of apps/v1 has no scale subresource');
    ref = { apiVersion: 'nothing.example.com/v1', kind: 'Server', name: 'rag' };
    await expect(look()).rejects.toThrow('Server of nothing.example.com/v1 is not known to the API server');
  });

  it.each(['', 'app in'])('refuses a scale by which pods cannot be told apart: "%s"', async (text) => {
    selector = text;
    await expect(look()).rejects.toMatchObject({ problem: { reason: 'InvalidSelector' } });
  });

  it('knows when the resource is gone', async () => {
    ref = undefined;
    await expect(look()).rejects.toMatchObject({ problem: { reason: 'Deleted' } });
  });

  it('asks nothing when it is too late', async () => {
    await expect(fleet.look(aTarget, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
    expect(api.asked).toEqual([]);
  });
});
