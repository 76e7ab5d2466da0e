/**
 * Does Helm 3 do it as well? An install, upgrades that bring other documents and another CRD, and an uninstall. The documents are a ConfigMap of
 * one's own, which the pods follow without Helm, too.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingTools } from '../chart/tools.ts';
import { checkUninstall } from './checks/uninstall.ts';
import { cluster, noCluster } from './support/cluster.ts';
import { createNamespace, removeNamespace } from './support/namespace.ts';
import { type Names, objectsOf, objectsOfCluster } from './support/objects.ts';
import { question, questionUntil } from './support/question.ts';
import { installRelease, type Release } from './support/release.ts';

const missing = noCluster ?? missingTools('helm3');
const WHO = 'Which animal smiles?';
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/latencyautoscalers.ragscale.dev';
/** As few of each as there can be: how many is the question of other tests. */
const VALUES = {
  'variants.batched.autoscaling.minReplicas': 1,
  'proxy.replicas': 1,
  'autoscaler.replicas': 1,
  documents: { source: 'configMap', configMap: { name: 'handbook' } },
};

interface Crd {
  readonly spec: { readonly versions: { readonly additionalPrinterColumns: { readonly name: string }[] }[] };
}

describe.skipIf(missing)(`Helm 3${missing ? ` (${missing})` : ''}`, () => {
  let namespace: string;
  let release: Release;
  let before: Names;

  beforeAll(async () => {
    namespace = await createNamespace('helm3');
    await writeHandbook('A quokka smiles.');
    before = { namespace: await objectsOf(namespace), cluster: await objectsOfCluster() };
    release = await installRelease({ namespace, helm: 'helm3', values: VALUES });
  });
  afterAll(async () => {
    await release?.close();
    if (namespace) await removeNamespace(namespace);
  });

  async function writeHandbook(text: string): Promise<void> {
    const handbook = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'handbook' },
      data: { 'animals.md': text },
    };
    await cluster().kubectl(['apply', '--namespace', namespace, '--filename', '-'], JSON.stringify(handbook));
  }

  async function podsOf(component?: string): Promise<string[]> {
    return (await cluster().pods(namespace, component)).map(({ metadata }) => metadata.uid).sort();
  }

  it('installs a system that answers from the ConfigMap, and names it as the source', async () => {
    expect(release.warnings).toBe('');
    const { status, result, sources } = await question(await release.proxyUrl(), WHO);
    expect(status).toBe(200);
    expect(result).toMatch(/quokka/i);
    expect(sources.map(({ id }) => id)).toEqual([expect.stringContaining('animals')]);
  });

  it('starts no pod anew by an upgrade that changes nothing', async () => {
    const pods = await podsOf();
    await release.upgrade({ values: VALUES });
    expect(await podsOf()).toEqual(pods);
  });

  it('is not needed for other documents: the pods see that the ConfigMap has changed, and go on', async () => {
    const pods = await podsOf('batched');
    await writeHandbook('A dolphin smiles.');
    // The kubelet hands it on within a minute or so, and at once to a pod that was touched.
    await cluster().kubectl(['annotate', 'pods', '--all', 'touched=now', '--namespace', namespace]);
    const { sources } = await questionUntil(await release.proxyUrl(), WHO, /dolphin/i, namespace);
    expect(sources.map(({ text }) => text)).toEqual(['A dolphin smiles.']);
    expect(await podsOf('batched')).toEqual(pods);
  });

  it('sees at an upgrade that they have changed, and starts the pods anew', async () => {
    const [pod] = await podsOf('batched');
    await writeHandbook('A gecko smiles.');
    await release.upgrade({ values: VALUES });
    const { sources } = await questionUntil(await release.proxyUrl(), WHO, /gecko/i, namespace);
    expect(sources.map(({ text }) => text)).toEqual(['A gecko smiles.']);
    const [after] = (await cluster().pods(namespace, 'batched')).filter((pod) => !pod.metadata.deletionTimestamp);
    expect(after?.metadata.uid).not.toBe(pod);
  });

  it('brings an earlier CRD up to date, and leaves nothing of how it did', async () => {
    const { spec } = await cluster().request<Crd>('GET', CRD);
    const earlier = structuredClone(spec.versions);
    earlier[0]?.additionalPrinterColumns.pop();
    const objects = await objectsOf(namespace);
    await cluster().request('PATCH', CRD, { spec: { versions: earlier } });
    try {
      await release.upgrade({ values: VALUES });
      expect((await cluster().request<Crd>('GET', CRD)).spec.versions).toEqual(spec.versions);
    } finally {
      await cluster().request('PATCH', CRD, { spec: { versions: spec.versions } });
    }
    const added = (await objectsOf(namespace)).filter((name) => !objects.includes(name));
    // The release's record of itself is kept for each version.
    expect(added.filter((name) => !/^secret\/sh\.helm\.release\.v1\.ragscale\.v\d+$/.test(name))).toEqual([]);
    expect((await objectsOfCluster()).filter((name) => name.includes(`${namespace}-ragscale-crd-upgrade`))).toEqual([]);
  });

  checkUninstall(
    'helm3',
    () => release,
    () => before,
  );
});
