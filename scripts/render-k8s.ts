/**
 * What is in k8s/base and k8s/crds? The chart, rendered for those who do without Helm. `node --conditions=source scripts/render-k8s.ts` writes it
 * anew; a test keeps it so.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CHART, missingTools, REPOSITORY, template } from '../test/chart/tools.ts';

const FOLDER = path.join(REPOSITORY, 'k8s');
const HEAD = '# Rendered from charts/ragscale by scripts/render-k8s.ts: do not edit.\n';
const CRD = 'latencyautoscalers.yaml';

/** Helm's marks; there is no release here. */
const OF_HELM = /^ *(app\.kubernetes\.io\/managed-by|helm\.sh\/chart):.*\n/gm;

/** @returns text by file, relative to k8s/ */
export function plainManifests(): ReadonlyMap<string, string> {
  const { ok, output, errors } = template({ noHooks: true, namespace: 'ragscale' });
  if (!ok) throw new Error(errors);
  const parts = new Map<string, string[]>();
  for (const document of output.split(/^---\n/m)) {
    const part = /^# Source: ragscale\/templates\/([a-z]+)\//m.exec(document)?.[1];
    if (part === undefined || !/^kind:/m.test(document)) continue;
    const text = document
      .replace(/^# Source:.*\n/gm, '')
      .replace(OF_HELM, '')
      .trim();
    parts.set(part, [...(parts.get(part) ?? []), text]);
  }
  const files = new Map<string, string>();
  const names = [...parts.keys()].sort();
  for (const name of names) files.set(`base/${name}.yaml`, `${HEAD}${parts.get(name)?.join('\n---\n')}\n`);
  files.set('base/kustomization.yaml', kustomization(['namespace.yaml', ...names.map((name) => `${name}.yaml`)]));
  files.set('base/namespace.yaml', NAMESPACE);
  files.set(`crds/${CRD}`, HEAD + readFileSync(path.join(CHART, 'crds', CRD), 'utf8'));
  files.set('crds/kustomization.yaml', kustomization([CRD]));
  return files;
}

const NAMESPACE = `${HEAD}apiVersion: v1
kind: Namespace
metadata:
  name: ragscale
  labels:
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/warn: restricted
`;

function kustomization(resources: readonly string[]): string {
  const lines = ['apiVersion: kustomize.config.k8s.io/v1beta1', 'kind: Kustomization', 'resources:'];
  return `${HEAD}${[...lines, ...resources.map((resource) => `  - ${resource}`)].join('\n')}\n`;
}

if (import.meta.main) {
  const missing = missingTools('helm4');
  if (missing !== undefined) throw new Error(missing);
  const files = plainManifests();
  for (const folder of ['base', 'crds']) rmSync(path.join(FOLDER, folder), { recursive: true, force: true });
  for (const [file, text] of files) {
    const at = path.join(FOLDER, file);
    mkdirSync(path.dirname(at), { recursive: true });
    writeFileSync(at, text);
  }
  console.log([...files.keys()].map((file) => `k8s/${file}`).join('\n'));
}
