/** Does the chart install and upgrade where it matters? Both Helms, on a real API server: every object is admitted, and no upgrade resets a number of pods. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ControlPlane,
  missingForControlPlane,
  startControlPlane,
} from '../cluster/control-plane/control-plane.ts';
import {
  CHART,
  flagsOf,
  HELMS,
  type Helm,
  type Manifest,
  missingTools,
  type Outcome,
  podsOf,
  RELEASE,
  type RenderOptions,
  render,
  run,
} from './tools.ts';

const missing = missingTools('helm3', 'helm4') ?? missingForControlPlane();
const NAME = 'ragscale-batched';
const CRD_AT = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const CRD_NAME = 'latencyautoscalers.ragscale.dev';
const FIXED = { 'variants.batched.autoscaling.enabled': false };

interface Deployment {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly replicas: number };
}

interface Crd {
  readonly spec: { readonly versions: { readonly additionalPrinterColumns: object[] }[] };
}

describe.skipIf(missing)(`the chart on a real API server${missing ? ` (${missing})` : ''}`, () => {
  let plane: ControlPlane;
  let namespaces = 0;

  beforeAll(async () => {
    plane = await startControlPlane();
  });
  afterAll(() => plane?.stop());

  async function restrictedNamespace(): Promise<string> {
    const name = `rag-${++namespaces}`;
    const labels = {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    };
    await plane.request('POST', '/api/v1/namespaces', { metadata: { name, labels } });
    return name;
  }

  function helm(
    which: Helm,
    namespace: string,
    verb: string,
    options: RenderOptions & { flags?: readonly string[] } = {},
  ): Outcome {
    // Without it Helm takes the values of the release before where none are given.
    const flags = [...(verb === 'upgrade' ? ['--reset-values'] : []), ...(options.flags ?? [])];
    const chart = verb === 'uninstall' ? [] : [CHART, ...flagsOf(options)];
    return run(which, [verb, RELEASE, ...chart, '--namespace', namespace, ...flags], '', {
      KUBECONFIG: plane.kubeconfigFile,
    });
  }

  function done(outcome: Outcome): string {
    expect(outcome.ok, outcome.errors).toBe(true);
    // Pod Security warns where a template breaks its rules.
    expect(outcome.errors).not.toMatch(/would violate PodSecurity|unknown field|deprecated/i);
    return outcome.output;
  }

  const at = (namespace: string) => `/apis/apps/v1/namespaces/${namespace}/deployments/${NAME}`;
  const replicas = async (namespace: string) =>
    ((await plane.request('GET', at(namespace))) as Deployment).spec.replicas;
  const scale = (namespace: string, to: number) =>
    plane.request('PATCH', `${at(namespace)}/scale`, { spec: { replicas: to } });

  describe.each(HELMS)('with %s', (which) => {
    it('leaves the number alone that the autoscaler set, whatever an upgrade changes', async () => {
      const namespace = await restrictedNamespace();
      done(helm(which, namespace, 'install'));
      expect(await replicas(namespace)).toBe(1);
      await scale(namespace, 7);
      done(helm(which, namespace, 'upgrade'));
      expect(await replicas(namespace)).toBe(7);
      done(helm(which, namespace, 'upgrade', { values: { 'pod.threads': 3, 'variants.baseline.enabled': true } }));
      expect(await replicas(namespace)).toBe(7);
      await scale(namespace, 0);
      done(helm(which, namespace, 'upgrade', { values: { 'pod.threads': 4 } }));
      expect(await replicas(namespace)).toBe(0);
    });

    it('leaves it alone when the autoscaler is turned off, and on again', async () => {
      const namespace = await restrictedNamespace();
      done(helm(which, namespace, 'install'));
      await scale(namespace, 7);
      for (const values of [FIXED, {}, FIXED]) {
        done(helm(which, namespace, 'upgrade', { values }));
        expect(await replicas(namespace)).toBe(7);
      }
    });

    it('leaves it alone when the autoscaler is turned on where the values gave the number', async () => {
      const namespace = await restrictedNamespace();
      done(helm(which, namespace, 'install', { values: { ...FIXED, 'variants.batched.replicas': 4 } }));
      expect(await replicas(namespace)).toBe(4);
      done(helm(which, namespace, 'upgrade', { values: { ...FIXED, 'variants.batched.replicas': 5 } }));
      expect(await replicas(namespace)).toBe(5);
      // Twice: what is left out in the first upgrade must not be missed in the second.
      for (let upgrade = 0; upgrade < 2; upgrade++) {
        done(helm(which, namespace, 'upgrade'));
        expect(await replicas(namespace)).toBe(5);
      }
      for (const set of [9, 3]) {
        await scale(namespace, set);
        for (let upgrade = 0; upgrade < 2; upgrade++) {
          done(helm(which, namespace, 'upgrade'));
          expect(await replicas(namespace)).toBe(set);
        }
      }
    });

    it('says how to test it: Helm 3 asks for logs of a pod that it has deleted', async () => {
      const said = done(helm(which, await restrictedNamespace(), 'install', { flags: ['--dry-run=server'] }));
      expect(said).toMatch(
        which === 'helm3' ? /^ {2}helm test ragscale -n \S+$/m : /^ {2}helm test ragscale -n \S+ --logs$/m,
      );
    });

    it('leaves nothing behind', async () => {
      const namespace = await restrictedNamespace();
      const values = {
        'networkPolicy.enabled': true,
        'podDisruptionBudget.enabled': true,
        documents: { source: 'files', files: { 'a.txt': 'x' } },
      };
      done(helm(which, namespace, 'install', { values }));
      expect(await objectsOf(namespace)).not.toEqual([]);
      done(helm(which, namespace, 'uninstall'));
      expect(await objectsOf(namespace)).toEqual([]);
    });

    it('upgrades the CRD where the cluster has another one, and has no job where it is the same', async () => {
      const namespace = await restrictedNamespace();
      done(helm(which, namespace, 'install'));
      const hooks = () => done(helm(which, namespace, 'upgrade', { flags: ['--dry-run=server'] }));
      expect(hooks()).not.toContain('kind: Job');
      const { spec } = (await plane.request('GET', `${CRD_AT}/${CRD_NAME}`)) as Crd;
      const older = structuredClone(spec.versions);
      older[0]?.additionalPrinterColumns.pop();
      await plane.request('PATCH', `${CRD_AT}/${CRD_NAME}`, { spec: { versions: older } });
      try {
        expect(hooks()).toContain('kind: Job');
      } finally {
        await plane.request('PATCH', `${CRD_AT}/${CRD_NAME}`, { spec: { versions: spec.versions } });
      }
      expect(hooks()).not.toContain('kind: Job');
    });
  });

  async function objectsOf(namespace: string): Promise<string[]> {
    const kinds = [
      'apis/apps/v1/deployments',
      'api/v1/services',
      'api/v1/configmaps',
      'api/v1/secrets',
      'api/v1/serviceaccounts',
      'apis/rbac.authorization.k8s.io/v1/roles',
      'apis/coordination.k8s.io/v1/leases',
    ]
      .concat([
        'apis/rbac.authorization.k8s.io/v1/rolebindings',
        'apis/networking.k8s.io/v1/networkpolicies',
        'apis/policy/v1/poddisruptionbudgets',
      ])
      .concat(['apis/ragscale.dev/v1alpha1/latencyautoscalers', 'apis/batch/v1/jobs', 'api/v1/pods']);
    const lists = await Promise.all(
      kinds.map(async (kind) => {
        const [, group, plural] = /^(.*)\/([^/]+)$/.exec(kind) ?? [];
        const { items } = (await plane.request('GET', `/${group}/namespaces/${namespace}/${plural}`)) as {
          items: Manifest[];
        };
        return items.map(({ metadata }) => `${plural}/${metadata?.name}`);
      }),
    );
    return lists.flat();
  }

  it.each<[string, RenderOptions]>([
    ['as it comes', {}],
    [
      'with GPUs, models and documents that are fetched',
      {
        values: {
          'gpu.enabled': true,
          models: { source: 'pull', generator: 'g', pull: { image: 'a/b:1', command: ['x'] } },
          documents: { source: 'init', init: { image: 'a/b:1', command: ['x'] } },
        },
      },
    ],
    ['without a way out', { files: ['ci/air-gapped-values.yaml'] }],
    [
      'beside an existing Prometheus',
      { files: ['ci/existing-prometheus-values.yaml'], values: { 'variants.baseline.enabled': true } },
    ],
    ['with its job', { upgrade: true }],
  ])('makes pods that Pod Security `restricted` admits, %s', async (_, options) => {
    const namespace = await restrictedNamespace();
    const templates = render({ ...options, kubernetes: 'v1.37.2', namespace }).flatMap(podsOf);
    expect(templates.length).toBeGreaterThanOrEqual(4);
    const accounts = new Set(templates.map(({ spec }) => spec.serviceAccountName ?? 'default'));
    for (const account of accounts) await plane.createServiceAccount(namespace, account);
    for (const { metadata, spec } of templates) {
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'judged', namespace }, spec };
      await plane.request('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All&fieldValidation=Strict`, pod);
    }
    // It is looking: what is not restricted is refused.
    const loose = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'loose', namespace },
      spec: { containers: [{ name: 'a', image: 'a' }] },
    };
    await expect(plane.request('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, loose)).rejects.toThrow(
      'violates PodSecurity',
    );
  });
});
