/** Does the chart say what it means? Rendered by the real Helm, judged by schemas, linters, and by the programs that its words are for. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  VARIABLES as AUTOSCALER_VARIABLES,
  readConfiguration as readAutoscaler,
} from '@ragscale/autoscaler-app/configuration';
import { leaseRules, TARGET_RULES } from '@ragscale/autoscaler-app/kubernetes/rules';
import { VARIABLES as PROXY_VARIABLES, readConfiguration as readProxy } from '@ragscale/proxy-app/configuration';
import { VARIABLES as POD_VARIABLES, readConfiguration as readPod } from '@ragscale/rag-app/configuration';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CHART,
  HELMS,
  KUBERNETES_VERSIONS,
  type Manifest,
  missingTools,
  only,
  type RenderOptions,
  render,
  run,
  type Tool,
  template,
} from './tools.ts';

const missing = missingTools('helm3', 'helm4');
/** For a test that needs one more. */
const skipWithout = (tool: Tool) => ({
  missing: missingTools(tool),
  words: missingTools(tool) ? ` (${missingTools(tool)})` : '',
});
const unittest = skipWithout('helm-unittest');
const kubeconform = skipWithout('kubeconform');
const kubeLinter = skipWithout('kube-linter');
const promtool = skipWithout('promtool');
const PRESETS = readdirSync(path.join(CHART, 'ci')).map((file) => `ci/${file}`);

/** Every kind that the chart knows, over the presets. */
const EVERYTHING: RenderOptions = {
  upgrade: true,
  values: {
    'proxy.ingress': { enabled: true, hosts: ['rag.example.com'] },
    'proxy.httpRoute': { enabled: true, parentRefs: [{ name: 'gateway' }] },
    'monitoring.serviceMonitor.enabled': true,
    'monitoring.prometheusRule.enabled': true,
    'monitoring.dashboards.enabled': true,
    'networkPolicy.enabled': true,
    'podDisruptionBudget.enabled': true,
    'topologySpread.enabled': true,
    'variants.baseline.enabled': true,
    'autoscaler.namespaces': ['*'],
    documents: { source: 'files', files: { 'a.txt': 'A hummingbird hovers.' } },
  },
};

describe.skipIf(missing)(`the chart${missing ? ` (${missing})` : ''}`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'ragscale-chart-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(HELMS)('passes the strict lint of %s, with every set of values', (helm) => {
    expect(PRESETS.length).toBeGreaterThanOrEqual(7);
    for (const preset of PRESETS) {
      const { ok, output, errors } = run(helm, [
        'lint',
        '--strict',
        '--kube-version',
        'v1.36.3',
        CHART,
        '--values',
        path.join(CHART, preset),
      ]);
      expect(ok, `${preset}: ${output}${errors}`).toBe(true);
    }
  });

  it.skipIf(unittest.missing)(`passes its unit suites${unittest.words}`, () => {
    const { ok, output, errors } = run('helm-unittest', ['--strict', CHART]);
    expect(ok, output + errors).toBe(true);
    expect(output).toMatch(/Tests: +\d+ passed/);
  });

  it.skipIf(kubeconform.missing).each(KUBERNETES_VERSIONS)(
    `is made of objects that Kubernetes %s knows, field by field${kubeconform.words}`,
    (version) => {
      const chart = path.join(CHART, 'crds/latencyautoscalers.yaml');
      const made = spawnSync(process.execPath, [
        '--conditions=source',
        path.join(import.meta.dirname, 'schemas/generate.ts'),
        'crd',
        chart,
        folder,
      ]);
      expect(made.status, String(made.stderr)).toBe(0);
      const judge = (input: string) => {
        const at = (schemas: string) => ['-schema-location', `${schemas}/{{.ResourceKind}}{{.KindSuffix}}.json`];
        const vendored = path.join(import.meta.dirname, 'schemas/fixtures');
        const locations = [path.join(vendored, version), path.join(vendored, 'crds'), folder].flatMap(at);
        return run(
          'kubeconform',
          ['-strict', '-summary', '-kubernetes-version', version.slice(1), ...locations],
          input,
        );
      };
      for (const options of [EVERYTHING, ...PRESETS.map((file) => ({ files: [file] }))]) {
        const { output, errors, ok } = template({ ...options, kubernetes: version });
        expect(ok, errors).toBe(true);
        const judged = judge(output);
        expect(judged.ok, judged.output).toBe(true);
        expect(judged.output).toMatch(/Valid: [1-9]\d*, Invalid: 0, Errors: 0, Skipped: 0/);
      }
      const wrong = judge('apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {prots: []}\n');
      expect(wrong.output).toContain('prots');
    },
  );

  it.skipIf(kubeLinter.missing)(`gives kube-linter nothing to say${kubeLinter.words}`, () => {
    const lint = (options: RenderOptions) => {
      writeFileSync(path.join(folder, 'rendered.yaml'), template({ ...options, noHooks: true }).output);
      return run('kube-linter', [
        'lint',
        '--config',
        path.join(import.meta.dirname, 'kube-linter.yaml'),
        path.join(folder, 'rendered.yaml'),
      ]);
    };
    for (const preset of PRESETS) {
      const { output, errors } = lint({ files: [preset], values: { 'networkPolicy.enabled': true } });
      expect(output + errors, preset).toContain('No lint errors found!');
    }
    // It is looking: without network policies it has something to say.
    expect(lint({}).output).toContain('non-isolated-pod');
  });

  it('gives the autoscaler the rights that it says it needs, and no others', () => {
    const manifests = render();
    expect(rulesOf(only(manifests, 'Role', 'ragscale-autoscaler'))).toEqual(sorted(TARGET_RULES));
    expect(rulesOf(only(manifests, 'Role', 'ragscale-autoscaler-lease'))).toEqual(
      sorted(leaseRules('ragscale-autoscaler')),
    );
    expect(manifests.filter(({ kind }) => kind?.startsWith('Cluster'))).toEqual([]);
  });

  it.each(PRESETS)('sets variables that the programs take, with %s', (preset) => {
    const manifests = render({ files: [preset] });
    const read = { proxy: readProxy, rag: readPod, autoscaler: readAutoscaler } as const;
    const variables = { proxy: PROXY_VARIABLES, rag: POD_VARIABLES, autoscaler: AUTOSCALER_VARIABLES } as const;
    const seen = new Set<string>();
    for (const manifest of manifests.filter(({ kind }) => kind === 'Deployment')) {
      for (const container of containersOf(manifest)) {
        if (!(container.name in read)) continue;
        seen.add(container.name);
        const environment = Object.fromEntries((container.env ?? []).map(({ name, value = '' }) => [name, value]));
        const known = Object.values(variables[container.name as keyof typeof variables]).map(({ name }) => name);
        // Node's own is the only other one.
        expect(Object.keys(environment).filter((name) => !known.includes(name))).toEqual(['NODE_OPTIONS']);
        // Folders of a pod, which are not here.
        for (const name of ['DOCUMENTS', 'API_KEYS_FILE', 'RAG_EMBEDDER', 'RAG_GENERATOR']) delete environment[name];
        if (environment.RAG_DEVICE === 'cuda') delete environment.RAG_DEVICE;
        expect(() => read[container.name as keyof typeof read](environment)).not.toThrow();
      }
    }
    expect(seen).toContain('rag');
    expect(seen).toContain('proxy');
  });

  it('asks no number of pods where an autoscaler sets it', () => {
    const replicasOf = (values: RenderOptions['values'] = {}) => {
      const found = only(render({ values }), 'Deployment', 'ragscale-batched').spec as { replicas?: number };
      return found.replicas;
    };
    expect(replicasOf()).toBeUndefined();
    expect(replicasOf({ 'variants.batched.autoscaling.enabled': false })).toBeUndefined();
    expect(replicasOf({ 'variants.batched.autoscaling.enabled': false, 'variants.batched.replicas': 3 })).toBe(3);
    expect(replicasOf({ 'variants.batched.autoscaling.enabled': false, 'variants.batched.replicas': 0 })).toBe(0);
  });

  it.skipIf(promtool.missing)(`configures Prometheus in words that it understands${promtool.words}`, () => {
    const { data } = only(render(), 'ConfigMap', 'ragscale-prometheus') as unknown as { data: Record<string, string> };
    for (const [name, text] of Object.entries(data)) {
      writeFileSync(path.join(folder, name), text.replaceAll('/etc/prometheus/', `${folder}/`));
    }
    const checked = run('promtool', ['check', 'config', path.join(folder, 'prometheus.yml')]);
    expect(checked.ok, checked.output + checked.errors).toBe(true);
    expect(checked.output).toMatch(/SUCCESS: [1-9]\d* rules found/);
    expect(Object.values(data).join()).not.toMatch(/__[A-Z_]+__/);
  });
});

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

function containersOf(manifest: Manifest): readonly Container[] {
  return (manifest.spec as { template: { spec: { containers: Container[] } } }).template.spec.containers;
}

const rulesOf = (role: Manifest) => sorted(role.rules as readonly object[]);
const sorted = (rules: readonly object[]) => rules.map((rule) => JSON.stringify(rule, Object.keys(rule).sort())).sort();
