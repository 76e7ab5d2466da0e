/** Is what a cluster without a way out is given taken by it, and does it work with keys and network policies, once its images are there? */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingTools, REPOSITORY } from '../chart/tools.ts';
import { cluster, type KubernetesObject, noCluster } from './support/cluster.ts';
import { createNamespace, removeNamespace } from './support/namespace.ts';
import { HOVER, question } from './support/question.ts';
import { installRelease, type Release, runHelm } from './support/release.ts';
import { waitFor } from './support/wait-for.ts';

const missing = noCluster ?? missingTools('helm4');
const FILES = ['ci/air-gapped-values.yaml'];
/** What of them is not on this cluster: its registry, its models and its documents. */
const HERE = {
  'image.registry': '',
  models: { source: 'image', embedder: 'embedded', generator: 'embedded' },
  documents: { source: 'embedded', revision: '' },
  'test.question': HOVER,
  'test.expect': 'hummingbird',
};

interface Policy extends KubernetesObject {
  readonly spec: { readonly policyTypes: readonly string[] };
}

describe.skipIf(missing)(`a cluster without a way out${missing ? ` (${missing})` : ''}`, () => {
  let release: Release;
  let key: string;

  beforeAll(async () => {
    const namespace = await createNamespace('air-gapped');
    const made = newKey();
    key = made.key;
    await writeSecret(namespace, 'ragscale-keys', { 'keys.txt': `${made.line}\n` });
    await writeSecret(namespace, 'ragscale-test-key', { key });
    release = await installRelease({ namespace, files: FILES, ready: false });
  });
  afterAll(async () => {
    await release?.close();
    if (release) await removeNamespace(release.namespace);
  });

  it('takes every object as it is, and pulls from the registry inside alone', async () => {
    expect(release.warnings).toBe('');
    const imagesOf = async () => {
      const pods = await cluster().pods(release.namespace);
      return new Set(pods.flatMap(({ spec }) => spec.containers.map(({ image }) => image)));
    };
    const everyPart = async () => {
      const images = await imagesOf();
      return images.size === 4 && images;
    };
    const images = await waitFor('there are pods of every part', everyPart, { namespace: release.namespace });
    expect([...images].sort()).toEqual([
      'registry.internal:5000/prom/prometheus:v3.16.0',
      'registry.internal:5000/ragscale/autoscaler:0.1.0',
      'registry.internal:5000/ragscale/proxy:0.1.0',
      'registry.internal:5000/ragscale/rag:0.1.0',
    ]);
  });

  it('has a network policy for each part, in and out', async () => {
    const at = `/apis/networking.k8s.io/v1/namespaces/${release.namespace}/networkpolicies`;
    const policies = await cluster().list<Policy>(at);
    expect(policies.map(({ metadata, spec }) => [metadata.name, spec.policyTypes])).toEqual(
      ['autoscaler', 'batched', 'prometheus', 'proxy'].map((part) => [`ragscale-${part}`, ['Ingress', 'Egress']]),
    );
  });

  it('works with them, once there are images, and helm test passes with its key', async () => {
    await release.upgrade({ values: HERE });
    const { ok, output, errors } = await runHelm('helm4', [
      'test',
      release.name,
      '--namespace',
      release.namespace,
      '--logs',
    ]);
    expect(ok, errors).toBe(true);
    expect(output).toMatch(/hummingbird/i);
  });

  it('answers nobody without a key', async () => {
    const url = await release.proxyUrl();
    const as = (authorization: string) => question(url, undefined, { headers: { authorization } });
    const [right, wrong, none] = [await as(`Bearer ${key}`), await as(`Bearer ${newKey().key}`), await question(url)];
    expect([right.status, wrong.status, none.status]).toEqual([200, 401, 401]);
    expect(JSON.parse(none.text).error.code).toBe('invalid_api_key');
  });
});

/** As docs/helm.md says to. */
function newKey(): { readonly key: string; readonly line: string } {
  const main = path.join(REPOSITORY, 'apps/cli/src/main.ts');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=source', main, 'keys', 'new', 'team-a', '--json'],
    {
      encoding: 'utf8',
    },
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

async function writeSecret(
  namespace: string,
  name: string,
  stringData: Readonly<Record<string, string>>,
): Promise<void> {
  await cluster().request('POST', `/api/v1/namespaces/${namespace}/secrets`, { metadata: { name }, stringData });
}
