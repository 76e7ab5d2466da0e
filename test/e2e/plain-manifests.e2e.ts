/** Does k8s/ work without Helm, as its README says: every command of it, in its order? */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { missingTools, REPOSITORY } from '../chart/tools.ts';
import { cluster, noCluster } from './support/cluster.ts';
import { commandIn, during, type } from './support/documented.ts';
import { removeNamespace } from './support/namespace.ts';
import { waitFor } from './support/wait-for.ts';

/** It stands in the manifests. */
const NAMESPACE = 'ragscale';
const PAGE = readFileSync(path.join(REPOSITORY, 'k8s/README.md'), 'utf8');

async function namespaceOfSomebody(): Promise<string | undefined> {
  const found = await cluster().kubectl(['get', 'namespace', NAMESPACE, '--output=name', '--ignore-not-found']);
  return found === '' ? undefined : `this cluster has a namespace ${NAMESPACE} already`;
}

const missing = noCluster ?? missingTools('helm4') ?? (await namespaceOfSomebody());

describe.skipIf(missing)(`kubectl apply -k${missing ? ` (${missing})` : ''}`, () => {
  afterAll(() => removeNamespace(NAMESPACE));

  it('makes a system that answers', async () => {
    await type(commandIn(PAGE, /^kubectl apply --server-side -k k8s\/crds/));
    const applied = await type(commandIn(PAGE, /^kubectl apply -k k8s$/));
    expect(applied).toContain('latencyautoscaler.ragscale.dev/ragscale-batched created');
    expect(await type(commandIn(PAGE, /rollout status/))).toContain('successfully rolled out');
    await during(commandIn(PAGE, /port-forward/), 9000, async () => {
      const curl = commandIn(PAGE, /^curl/);
      // The proxy may still be starting: it is not what the command before waits for.
      const { result } = await waitFor('curl is answered', async () => JSON.parse(await type(curl)), {
        namespace: NAMESPACE,
      });
      expect(result).toMatch(/hummingbird/i);
    });
  });

  it('enforces Pod Security `restricted`, and still runs every part', async () => {
    const { metadata } = await cluster().request<{ metadata: { labels: Record<string, string> } }>(
      'GET',
      `/api/v1/namespaces/${NAMESPACE}`,
    );
    expect(metadata.labels['pod-security.kubernetes.io/enforce']).toBe('restricted');
    const all = ['rollout', 'status', 'deployment', '--namespace', NAMESPACE, '--timeout=180s'];
    const told = await cluster().kubectl(all);
    expect(told.match(/successfully rolled out/g)).toHaveLength(4);
  });

  it('resets nothing when it is applied again', async () => {
    const raised = async () => (await cluster().deployment(NAMESPACE, 'ragscale-batched')).spec.replicas === 2;
    await waitFor('the autoscaler has raised it to its minimum', raised, { namespace: NAMESPACE });
    const again = (await type(commandIn(PAGE, /^kubectl apply -k k8s$/))).trim().split('\n');
    expect(again.filter((line) => !line.endsWith(' unchanged'))).toEqual([]);
    expect(await raised()).toBe(true);
  });
});
