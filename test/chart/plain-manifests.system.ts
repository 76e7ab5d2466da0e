/** Is k8s/ the chart, and does `kubectl apply -k` take it? The real kubectl, on a real API server. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadAllYaml } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainManifests } from '../../scripts/render-k8s.ts';
import {
  type ControlPlane,
  missingForControlPlane,
  startControlPlane,
} from '../cluster/control-plane/control-plane.ts';
import { type Manifest, missingTools, only, REPOSITORY, render } from './tools.ts';

const FOLDER = path.join(REPOSITORY, 'k8s');
const noHelm = missingTools('helm4');
const noKubectl = spawnSync('kubectl', ['version', '--client']).error ? 'kubectl not installed' : undefined;
const missing = noHelm ?? noKubectl ?? missingForControlPlane();
const AT = '/apis/apps/v1/namespaces/ragscale/deployments/ragscale-batched';

it.skipIf(noHelm)(`k8s/ is what the chart renders${noHelm ? ` (${noHelm})` : ''}`, () => {
  const files = plainManifests();
  expect(files.size).toBeGreaterThanOrEqual(8);
  for (const [file, text] of files) {
    expect(
      readFileSync(path.join(FOLDER, file), 'utf8'),
      `${file}: node --conditions=source scripts/render-k8s.ts`,
    ).toBe(text);
  }
  expect([...files.values()].join()).not.toMatch(/helm\.sh|managed-by: Helm/);
});

describe.skipIf(missing)(`kubectl${missing ? ` (${missing})` : ''}`, () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
  });
  afterAll(() => plane?.stop());

  function kubectl(...args: string[]): string {
    const env = { ...process.env, KUBECONFIG: plane.kubeconfigFile };
    const { status, stdout, stderr } = spawnSync('kubectl', args, { encoding: 'utf8', env, timeout: 100_000 });
    expect(status, stdout + stderr).toBe(0);
    expect(stderr).not.toMatch(/would violate PodSecurity|unknown field/);
    return stdout;
  }

  it('applies it in two steps, and again without a change and without touching the number of pods', async () => {
    kubectl('apply', '--server-side', '--kustomize', path.join(FOLDER, 'crds'));
    kubectl('wait', '--for=condition=Established', 'crd/latencyautoscalers.ragscale.dev', '--timeout=60s');
    const first = kubectl('apply', '--kustomize', FOLDER);
    expect(first).toContain('latencyautoscaler.ragscale.dev/ragscale-batched created');
    await plane.request('PATCH', `${AT}/scale`, { spec: { replicas: 6 } });
    const again = kubectl('apply', '--kustomize', FOLDER).trim().split('\n');
    expect(again.filter((line) => !line.endsWith(' unchanged'))).toEqual([]);
    const { spec } = (await plane.request('GET', AT)) as { spec: { replicas: number } };
    expect(spec.replicas).toBe(6);
  });

  it('makes of k8s/gpu what gpu.enabled makes of the chart', () => {
    const patched = loadAllYaml(kubectl('kustomize', path.join(FOLDER, 'gpu'))) as Manifest[];
    const wanted = render({ values: { 'gpu.enabled': true }, namespace: 'ragscale' });
    const found = [patched, wanted].map((manifests) => summary(only(manifests, 'Deployment', 'ragscale-batched')));
    expect(found[0]).toEqual(found[1]);
    expect(found[0]?.container?.image).toContain('rag-cuda');
  });
});

interface Container {
  readonly env: readonly { readonly name: string }[];
  readonly image: string;
}

function summary({ spec }: Manifest) {
  const { strategy, template } = spec as {
    strategy: object;
    template: { spec: { containers: Container[]; nodeSelector: object; tolerations: object } };
  };
  const { containers, ...pod } = template.spec;
  const container = containers[0];
  // The order of the environment is not the same.
  const env = container?.env.map((each) => JSON.stringify(each)).sort();
  return { strategy, pod, container: { ...container, env } };
}
