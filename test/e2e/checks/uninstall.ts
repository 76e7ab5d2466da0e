/** Does a release go without a trace? Everything that is there afterwards, of any kind, was there before; but for what the documentation names. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { type Helm, REPOSITORY } from '../../chart/tools.ts';
import { ownNode } from '../../cluster/node/own-node.ts';
import { cluster } from '../support/cluster.ts';
import { commandIn, type } from '../support/documented.ts';
import { type Names, objectsOf, objectsOfCluster } from '../support/objects.ts';
import type { Release } from '../support/release.ts';
import { waitFor } from '../support/wait-for.ts';

const GUIDE = readFileSync(path.join(REPOSITORY, 'docs/helm.md'), 'utf8');
const CRD = 'customresourcedefinition.apiextensions.k8s.io/latencyautoscalers.ragscale.dev';
/** The API server makes it of the CRD. */
const OF_CRD = 'apiservice.apiregistration.k8s.io/v1alpha1.ragscale.dev';

/** The last of its checks: the release is not there afterwards. @param before what was there before it was installed */
export function checkUninstall(helm: Helm, release: () => Release, before: () => Names): void {
  it('is uninstalled without a trace but the CRD', async () => {
    const { namespace } = release();
    await release().close();
    await type(commandIn(GUIDE, /^helm uninstall/).replace('--namespace rag', `--namespace ${namespace}`), helm);
    const left = async () => added(await objectsOf(namespace), before().namespace);
    const gone = async () => {
      const still = await left();
      if (still.length > 0) throw new Error(still.join());
      return true;
    };
    await waitFor('nothing is left in the namespace', gone, { timeoutMs: 120_000, everyMs: 2_000 });
    // Other tests may be at work on the same cluster; what is theirs has the name of their namespace.
    const ours = (name: string) => !/\/e2e-/.test(name) || name.includes(namespace);
    const leftInCluster = added(await objectsOfCluster(), before().cluster).filter(ours);
    expect(leftInCluster.filter((name) => name !== CRD && name !== OF_CRD)).toEqual([]);
    expect(await objectsOfCluster()).toContain(CRD);
  });
}

/** The CRD is all that is left. On a cluster that is not ours it stays if it was there before. */
export function checkCrdGoes(before: () => Names): void {
  it('leaves the CRD until it is removed as documented', async (test) => {
    test.skip(before().cluster.includes(CRD) && ownNode() === undefined, 'this cluster had the CRD before');
    const others = await cluster().kubectl(['get', 'latencyautoscalers', '--all-namespaces', '--output=name']);
    test.skip(others !== '', 'somebody on this cluster has LatencyAutoscalers, which would go with it');
    await type(commandIn(GUIDE, /^kubectl delete crd/));
    expect(await objectsOfCluster()).not.toContain(CRD);
  });
}

function added(now: readonly string[], before: readonly string[]): string[] {
  const known = new Set(before);
  return now.filter((name) => !known.has(name));
}
