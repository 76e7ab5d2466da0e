/** With what is the chart checked? The programs of build-tools.sh, and what Helm makes of the chart. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type KubernetesObject, loadAllYaml } from '@kubernetes/client-node';

export const REPOSITORY = path.join(import.meta.dirname, '../..');
export const CHART = path.join(REPOSITORY, 'charts/ragscale');
export const RELEASE = 'ragscale';
export const NAMESPACE = 'rag';

/** Whose schemas are in test/chart/schemas. */
export const KUBERNETES_VERSIONS = ['v1.35.4', 'v1.36.3', 'v1.37.2'] as const;

export type Tool = 'helm3' | 'helm4' | 'helm-unittest' | 'kubeconform' | 'kube-linter' | 'promtool';
export type Helm = 'helm3' | 'helm4';
export const HELMS: readonly Helm[] = ['helm3', 'helm4'];

/** Nothing of the user's: no plugins, no repositories. */
const HELM_HOME = path.join(tmpdir(), 'ragscale-helm');
export const HELM_ENVIRONMENT = {
  HELM_CACHE_HOME: HELM_HOME,
  HELM_CONFIG_HOME: HELM_HOME,
  HELM_DATA_HOME: HELM_HOME,
} as const;
const BUILD = path.join(import.meta.dirname, 'build-tools.sh');
let folder: string | undefined;

export function toolPath(tool: Tool): string {
  folder ??= spawnSync('bash', [BUILD, '--where'], { encoding: 'utf8' }).stdout.trim();
  return path.join(folder, tool);
}

/** In words for the name of a test that is skipped; undefined when all are there. */
export function missingTools(...tools: readonly Tool[]): string | undefined {
  const missing = tools.filter((tool) => !existsSync(toolPath(tool)));
  return missing.length > 0 ? `${missing.join(' and ')} not built: bash test/chart/build-tools.sh` : undefined;
}

export interface Outcome {
  readonly ok: boolean;
  readonly output: string;
  readonly errors: string;
}

export function run(tool: Tool, args: readonly string[], input = '', environment: NodeJS.ProcessEnv = {}): Outcome {
  const { status, stdout, stderr, error } = spawnSync(toolPath(tool), args, {
    encoding: 'utf8',
    input,
    maxBuffer: 64 * 1024 * 1024,
    timeout: 120_000,
    env: {
      ...process.env,
      ...HELM_ENVIRONMENT,
      ...environment,
    },
  });
  return { ok: status === 0, output: stdout ?? '', errors: `${stderr ?? ''}${error?.message ?? ''}` };
}

export type Manifest = KubernetesObject & { readonly [field: string]: unknown };

export interface RenderOptions {
  /** As after `--set-json`. */
  readonly values?: Readonly<Record<string, unknown>>;
  readonly files?: readonly string[];
  readonly kubernetes?: string;
  readonly upgrade?: boolean;
  readonly noHooks?: boolean;
  readonly namespace?: string;
  readonly helm?: Helm;
}

export function flagsOf({ values = {}, files = [] }: RenderOptions): string[] {
  return [
    ...files.flatMap((file) => ['--values', path.join(CHART, file)]),
    ...Object.entries(values).flatMap(([name, value]) => ['--set-json', `${name}=${JSON.stringify(value)}`]),
  ];
}

export function template(options: RenderOptions = {}): Outcome {
  const { helm = 'helm4', kubernetes = 'v1.36.3', namespace = NAMESPACE, upgrade = false, noHooks = false } = options;
  const fixed = ['template', RELEASE, CHART, '--namespace', namespace, '--kube-version', kubernetes];
  return run(helm, [
    ...fixed,
    ...(upgrade ? ['--is-upgrade'] : []),
    ...(noHooks ? ['--no-hooks'] : []),
    ...flagsOf(options),
  ]);
}

/** @throws Error with Helm's words when it does not render */
export function render(options: RenderOptions = {}): Manifest[] {
  const { ok, output, errors } = template(options);
  if (!ok) throw new Error(errors);
  return (loadAllYaml(output) as (Manifest | null)[]).filter((manifest) => manifest !== null);
}

export function only(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata?.name === name);
  if (found.length !== 1) throw new Error(`${found.length} of ${kind} ${name}`);
  return found[0] as Manifest;
}

export interface PodTemplate {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec: { readonly serviceAccountName?: string };
}

/** What a manifest makes pods of. */
export function podsOf(manifest: Manifest): PodTemplate[] {
  if (manifest.kind === 'Pod') return [manifest as unknown as PodTemplate];
  const { template } = (manifest.spec ?? {}) as { template?: PodTemplate };
  return template === undefined ? [] : [template];
}
