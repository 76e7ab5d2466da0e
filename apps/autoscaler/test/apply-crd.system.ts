/** Does the job of the chart bring an older definition up to date on a real API server, with no more rights than the chart gives it? */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type ControlPlane,
  missingForControlPlane,
  startControlPlane,
} from '../../../test/cluster/control-plane/control-plane.ts';
import { createFromFile, defineKind, WITHIN } from './cluster-fixture.ts';

const missing = missingForControlPlane();
const PROGRAM = fileURLToPath(new URL('../dist/kubernetes/apply-crd.js', import.meta.url));
const FILE = 'charts/ragscale/crds/latencyautoscalers.yaml';
const NAME = 'latencyautoscalers.ragscale.dev';
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const RULES = [
  {
    apiGroups: ['apiextensions.k8s.io'],
    resources: ['customresourcedefinitions'],
    resourceNames: [NAME],
    verbs: ['get', 'patch'],
  },
];

/** Of the first release, say: a field that is no more, a conversion, a short name. */
const OLDER = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: NAME, labels: { kept: 'yes' } },
  spec: {
    group: 'ragscale.dev',
    scope: 'Namespaced',
    names: { kind: 'LatencyAutoscaler', plural: 'latencyautoscalers', shortNames: ['old'], categories: ['older'] },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: { gone: { type: 'string' } } } },
      },
    ],
  },
};

interface Live {
  readonly metadata: { readonly labels: Record<string, string> };
  readonly spec: {
    readonly names: { readonly shortNames: string[] };
    readonly versions: { readonly schema: { readonly openAPIV3Schema: { readonly properties: object } } }[];
  };
}

let plane: ControlPlane;
let folder: string;
/** What the chart holds, as JSON. */
let chart: object;

const file = () => path.join(folder, 'definition.json');

/** As the process of the job. */
async function run(token: string, definition: object) {
  writeFileSync(file(), JSON.stringify(definition));
  const kubeconfig = path.join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, plane.config(token).exportConfig(), { mode: 0o600 });
  const child = spawn(process.execPath, [PROGRAM, file()], { env: { KUBECONFIG: kubeconfig } });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number, output, errors };
}

const live = async () => (await plane.request('GET', `${DEFINITIONS}/${NAME}`)) as Live;
const propertiesOf = ({ spec }: Live) => Object.keys(spec.versions[0]?.schema.openAPIV3Schema.properties ?? {});

describe.skipIf(missing)(`the job that upgrades the definition${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let token: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'ragscale-apply-crd-'));
    plane = await startControlPlane();
    chart = (await createFromFile(plane, `${DEFINITIONS}?dryRun=All`, FILE)) as object;
    await plane.createNamespace('rag');
    await plane.createServiceAccount('rag', 'crd-upgrade');
    token = await plane.serviceAccountToken('rag', 'crd-upgrade');
  });
  afterAll(async () => {
    await plane?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('says what it is not allowed to', async () => {
    const { code, errors } = await run(token, chart);
    expect(code).toBe(1);
    expect(errors).toMatch(
      /^apply-crd: customresourcedefinitions\S* "?latencyautoscalers.* is forbidden.*cannot patch/,
    );
  });

  it('brings an older one up to date with the rights of the chart, and what is no more is gone', async () => {
    const at = '/apis/rbac.authorization.k8s.io/v1';
    const metadata = { name: 'crd-upgrade' };
    await plane.request('POST', `${at}/clusterroles`, { metadata, rules: RULES });
    await plane.request('POST', `${at}/clusterrolebindings`, {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'crd-upgrade' },
      subjects: [{ kind: 'ServiceAccount', name: 'crd-upgrade', namespace: 'rag' }],
    });
    await defineKind(plane, OLDER, 'ragscale.dev/v1alpha1', 'latencyautoscalers');
    expect(propertiesOf(await live())).toContain('gone');
    const { code, output } = await run(token, chart);
    expect({ code, output }).toEqual({ code: 0, output: `${NAME} is as in ${file()}\n` });
    const now = await live();
    expect(propertiesOf(now)).toContain('spec');
    expect(propertiesOf(now)).not.toContain('gone');
    expect(now.spec.names).toMatchObject({ shortNames: ['las'], categories: ['all'] });
    expect(now.metadata.labels).toMatchObject({ kept: 'yes' });
    expect(await run(token, chart)).toMatchObject({ code: 0 });
  });

  it('refuses a file with a field that nobody knows', async () => {
    const { code, errors } = await run(token, { ...OLDER, spec: { ...OLDER.spec, scoppe: 'Namespaced' } });
    expect(code).toBe(1);
    expect(errors).toContain('scoppe');
  });

  it('makes a missing one, as the administrator', async () => {
    await plane.request('DELETE', `${DEFINITIONS}/${NAME}`);
    await vi.waitFor(() => expect(live()).rejects.toThrow('404'), WITHIN);
    expect(await run(plane.adminToken, chart)).toMatchObject({ code: 0, errors: '' });
    expect(propertiesOf(await live())).toContain('spec');
  });
});
