/** Does the bundled Prometheus find every process, each once and at the right port? Its configuration and its Role, on a real API server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type ControlPlane,
  missingForControlPlane,
  startControlPlane,
} from '../cluster/control-plane/control-plane.ts';
import { type Manifest, missingTools, NAMESPACE, only, podsOf, render, run } from './tools.ts';

const missing = missingTools('helm4', 'promtool') ?? missingForControlPlane();
const ACCOUNT = 'ragscale-prometheus';

interface Target {
  readonly labels: Readonly<Record<string, string>> | null;
}

let plane: ControlPlane;
let folder: string;

beforeAll(async () => {
  if (missing !== undefined) return;
  folder = mkdtempSync(path.join(tmpdir(), 'ragscale-discovery-'));
  plane = await startControlPlane();
});
afterAll(async () => {
  if (missing !== undefined) return;
  await plane.stop();
  rmSync(folder, { recursive: true, force: true });
});

it.skipIf(missing)(`the bundled Prometheus finds every process${missing ? ` (${missing})` : ''}`, async () => {
  const manifests = render({ values: { 'variants.baseline.enabled': true } });
  await plane.createNamespace(NAMESPACE);
  for (const { kind, metadata } of manifests) {
    if (kind === 'ServiceAccount') await plane.createServiceAccount(NAMESPACE, String(metadata?.name));
  }
  await plane.grant(NAMESPACE, ACCOUNT, only(manifests, 'Role', ACCOUNT).rules as object[]);
  const running = manifests.filter(({ kind }) => kind === 'Deployment').flatMap(podsOf);
  for (const [number, { metadata, spec }] of running.entries()) {
    const part = metadata.labels?.['app.kubernetes.io/component'] ?? '';
    await addPod(part, { metadata, spec }, { phase: 'Running', podIP: `192.0.2.${number + 1}` });
    await addPod(`${part}-ended`, { metadata, spec }, { phase: 'Succeeded', podIP: `192.0.2.${number + 101}` });
  }
  const another = { ...running[0]?.metadata.labels, 'app.kubernetes.io/instance': 'another' };
  await addPod(
    'another',
    { metadata: { labels: another }, spec: running[0]?.spec ?? {} },
    { phase: 'Running', podIP: '192.0.2.99' },
  );

  const found = (await discover(manifests)).flatMap(({ labels }) =>
    labels?.__address__ === undefined ? [] : [labels],
  );
  const seen = found.map(({ __address__, namespace, pod, component, job }) => ({
    port: __address__?.split(':')[1],
    namespace,
    pod,
    component,
    job,
  }));
  const expected = { baseline: '8000', batched: '8000', proxy: '9001', autoscaler: '9100' };
  expect(seen.sort((a, b) => Number(a.port) - Number(b.port) || String(a.pod).localeCompare(String(b.pod)))).toEqual(
    Object.entries(expected).map(([pod, port]) => ({
      port,
      namespace: NAMESPACE,
      pod,
      component: pod,
      job: 'ragscale',
    })),
  );
});

async function addPod(
  name: string,
  { metadata, spec }: { metadata: object; spec: object },
  status: object,
): Promise<void> {
  const at = `/api/v1/namespaces/${NAMESPACE}/pods`;
  await plane.request('POST', at, { metadata: { ...metadata, name }, spec });
  await plane.request('PATCH', `${at}/${name}/status`, { status });
}

/** With the rights of the chart's Role and no others. */
async function discover(manifests: readonly Manifest[]): Promise<Target[]> {
  const token = await plane.serviceAccountToken(NAMESPACE, ACCOUNT);
  const kubeconfig = path.join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, plane.config(token, NAMESPACE).exportConfig());
  const { data } = only(manifests, 'ConfigMap', ACCOUNT) as unknown as { data: Record<string, string> };
  // Outside of a pod, its own namespace has to be said.
  const configuration = (data['prometheus.yml'] ?? '')
    .replace(
      'namespaces: { own_namespace: true }',
      `kubeconfig_file: ${kubeconfig}\n        namespaces: { names: [${NAMESPACE}] }`,
    )
    .replace(/^rule_files:.*$/m, '');
  expect(configuration).toContain('kubeconfig_file');
  writeFileSync(path.join(folder, 'prometheus.yml'), configuration);
  const { ok, output, errors } = run('promtool', [
    'check',
    'service-discovery',
    '--timeout=5s',
    path.join(folder, 'prometheus.yml'),
    'ragscale',
  ]);
  expect(ok, output + errors).toBe(true);
  return JSON.parse(output) as Target[];
}
