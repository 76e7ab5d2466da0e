import { KubernetesError } from '@ragscale/kubernetes/kubernetes-error';
import { describe, expect, it } from 'vitest';
import { KubernetesLeaseStore, microTime } from './lease.ts';

const COLLECTION = '/apis/coordination.k8s.io/v1/namespaces/ragscale/leases';
const never = new AbortController().signal;
const metadata = { name: 'lease', uid: 'u', resourceVersion: '7', annotations: { 'kept-by': 'somebody' } };

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: object | undefined;
}

function storeThat(answer: () => unknown) {
  const asked: Asked[] = [];
  const client = {
    request: async <T>(
      method: string,
      path: string,
      { body, schema }: { body?: object; schema: { parse(o: unknown): T } },
    ) => {
      asked.push({ method, path, body });
      return schema.parse(answer());
    },
  };
  return { asked, store: new KubernetesLeaseStore({ client, namespace: 'ragscale', name: 'lease' }) };
}

function refusing(status: number) {
  return storeThat(() => {
    throw new KubernetesError(status, 'no');
  }).store;
}

describe('a Lease', () => {
  it('has times with six digits', () => {
    expect(microTime(Date.UTC(2026, 10, 22, 17, 19, 18, 123))).toBe('2026-11-22T17:19:18.123000Z');
    expect(microTime(0)).toBe('1970-01-01T00:00:00.000000Z');
  });

  it('is read, with all that somebody else has written into it', async () => {
    const { store, asked } = storeThat(() => ({ kind: 'Lease', metadata, spec: { holderIdentity: 'a' } }));
    expect(await store.read(never)).toEqual({ metadata, spec: { holderIdentity: 'a' } });
    expect(asked).toEqual([{ method: 'GET', path: `${COLLECTION}/lease`, body: undefined }]);
  });

  it('may be without a spec, or not there', async () => {
    expect(await storeThat(() => ({ metadata })).store.read(never)).toEqual({ metadata, spec: {} });
    expect(await refusing(404).read(never)).toBeUndefined();
  });

  it('is made', async () => {
    const { store, asked } = storeThat(() => ({ metadata, spec: { holderIdentity: 'a' } }));
    await store.create({ holderIdentity: 'a' }, never);
    expect(asked).toMatchObject([
      {
        method: 'POST',
        path: COLLECTION,
        body: {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { namespace: 'ragscale', name: 'lease' },
          spec: { holderIdentity: 'a' },
        },
      },
    ]);
  });

  it('is replaced as it was read: the same one, of the same version', async () => {
    const { store, asked } = storeThat(() => ({ metadata, spec: {} }));
    await store.replace({ metadata, spec: {} }, { holderIdentity: '' }, never);
    expect(asked).toMatchObject([{ method: 'PUT', path: `${COLLECTION}/lease`, body: { metadata } }]);
  });

  it('has changed meanwhile, or gone', async () => {
    const conflict = { name: 'LeaseConflictError' };
    await expect(refusing(409).create({}, never)).rejects.toMatchObject(conflict);
    for (const status of [409, 404]) {
      await expect(refusing(status).replace({ metadata, spec: {} }, {}, never)).rejects.toMatchObject(conflict);
    }
  });

  it('is refused in the words of the server: a right or the namespace is missing', async () => {
    await expect(refusing(403).read(never)).rejects.toMatchObject({ status: 403 });
    await expect(refusing(404).create({}, never)).rejects.toMatchObject({ name: 'KubernetesError', status: 404 });
  });
});
