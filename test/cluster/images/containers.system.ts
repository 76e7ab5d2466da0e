/** Do the processes of the images work with no rights, no shell and a file system that is read-only, and do they end when they are told to? */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFromFile } from '../../../apps/autoscaler/test/cluster-fixture.ts';
import { type ControlPlane, missingForControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { Container } from './container.ts';
import { inspect, missingImages, nameOf } from './image.ts';

const DEFINITION = 'charts/ragscale/crds/latencyautoscalers.yaml';
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const HERE = { PORT: '0', ADMIN_PORT: '0', HOST: '127.0.0.1', THREADS: '1' };
/** In the place of modules that load slowly. */
const FOREVER = 'process.stdout.write("loading");await new Promise((resolve)=>setTimeout(resolve,600000))';
/** What a process needs to end that has nothing to finish, on a busy machine. */
const ENDING_MS = 5_000;
const TWO_MINUTES = 120_000;

const missingPlane = missingImages ?? missingForControlPlane();
const words = (missing: string | undefined) => (missing ? ` (${missing})` : '');

/** @param field of the line of the log that tells the port */
function urlOf({ output }: Container, field = 'port'): string {
  const line = output.split('\n').find((text) => text.includes(`"${field}":`)) ?? '{}';
  return `http://127.0.0.1:${(JSON.parse(line) as Record<string, number>)[field]}`;
}

const post = (url: string, body: object) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

async function endsWell(container: Container): Promise<void> {
  const { code, tookMs } = await container.terminate();
  expect({ code, output: container.output }).toEqual({ code: 0, output: expect.stringContaining('"msg":"bye"') });
  expect(tookMs).toBeLessThan(ENDING_MS);
}

describe.skipIf(missingImages)(`containers${words(missingImages)}`, { timeout: TWO_MINUTES }, () => {
  it.each(['rag', 'rag-cuda'] as const)('%s answers the question of the README and ends', async (target) => {
    using pod = new Container(nameOf(target), { env: HERE });
    await pod.says('"msg":"ready"');
    const response = await post(`${urlOf(pod)}/rag`, { query: 'Which animals can hover in the air?' });
    expect(await response.json()).toMatchObject({ result: expect.stringMatching(/hummingbirds can hover/i) });
    await endsWell(pod);
  });

  it('rag serves the other variant, and explains itself', async () => {
    using pod = new Container(nameOf('rag'), { env: { ...HERE, VARIANT: 'baseline' } });
    await pod.says('"msg":"ready"');
    const response = await post(`${urlOf(pod)}/rag`, { query: 'Which animals can hover in the air?' });
    expect(await response.json()).toMatchObject({ result: expect.stringMatching(/hummingbirds can hover/i) });
    expect((await fetch(`${urlOf(pod)}/docs/`)).status).toBe(200);
    await endsWell(pod);
  });

  it('proxy relays to a pod, and ends', async () => {
    using pod = new Container(nameOf('rag'), { env: HERE });
    await pod.says('"msg":"ready"');
    using proxy = new Container(nameOf('proxy'), { env: { ...HERE, BACKENDS: urlOf(pod) } });
    await proxy.says('"msg":"ready"');
    expect((await fetch(`${urlOf(proxy, 'adminPort')}/livez`)).status).toBe(200);
    const response = await post(`${urlOf(proxy)}/rag`, { query: 'Which animals can hover in the air?' });
    expect(await response.json()).toMatchObject({ result: expect.stringMatching(/hummingbirds can hover/i) });
    await endsWell(proxy);
    await endsWell(pod);
  });

  it('autoscaler says that it has no cluster', async () => {
    using autoscaler = new Container(nameOf('autoscaler'), { env: HERE });
    expect(await autoscaler.ended).toBe(1);
    expect(autoscaler.output).toMatch(/^Kubernetes: no credentials/);
  });

  it.each(['rag', 'proxy', 'autoscaler'] as const)('%s ends when it is told to before it listens', async (target) => {
    const { Entrypoint } = inspect(nameOf(target)).config;
    const main = Entrypoint.slice(-1);
    using container = new Container(nameOf(target), {
      command: [...Entrypoint.slice(0, -1), '--import', `data:text/javascript,${FOREVER}`, ...main],
    });
    await container.says('loading');
    const { code, tookMs } = await container.terminate();
    expect({ code, output: container.output }).toEqual({ code: 0, output: 'loading' });
    expect(tookMs).toBeLessThan(ENDING_MS);
  });
});

describe.skipIf(missingPlane)(`the autoscaler's container and a cluster${words(missingPlane)}`, () => {
  let plane: ControlPlane;
  let folder: string;
  const run = (command?: readonly string[]) =>
    new Container(nameOf('autoscaler'), {
      env: { ...HERE, KUBECONFIG: '/cluster/kubeconfig', PROMETHEUS_URL: 'http://127.0.0.1:1' },
      mounts: { '/cluster': folder },
      ...(command && { command }),
    });

  beforeAll(async () => {
    plane = await startControlPlane();
    await plane.createNamespace('rag');
    folder = mkdtempSync(path.join(tmpdir(), 'ragscale-cluster-'));
    writeFileSync(path.join(folder, 'kubeconfig'), kubeconfigOf(plane));
    const definition = await createFromFile(plane, `${DEFINITIONS}?dryRun=All`, DEFINITION);
    writeFileSync(path.join(folder, 'definition.json'), JSON.stringify(definition));
    // The user of the image is another than ours.
    chmodSync(folder, 0o755);
  });
  afterAll(async () => {
    await plane?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it(
    'makes the definition of the resource, then looks after its namespace, and ends',
    async () => {
      using job = run(['node', 'apps/autoscaler/dist/kubernetes/apply-crd.js', '/cluster/definition.json']);
      expect({ code: await job.ended, output: job.output }).toEqual({
        code: 0,
        output: 'latencyautoscalers.ragscale.dev is as in /cluster/definition.json\n',
      });
      using autoscaler = run();
      await autoscaler.says('"msg":"ready"');
      expect((await fetch(`${urlOf(autoscaler)}/readyz`)).status).toBe(200);
      await endsWell(autoscaler);
    },
    TWO_MINUTES,
  );
});

/** For whoever can read it, with all that it names inside. */
function kubeconfigOf(plane: ControlPlane): string {
  const certificate = readFileSync(plane.config().getCurrentCluster()?.caFile ?? '').toString('base64');
  const named = { cluster: 'test', user: 'user' };
  return JSON.stringify({
    clusters: [{ name: 'test', cluster: { server: plane.url, 'certificate-authority-data': certificate } }],
    users: [{ name: 'user', user: { token: plane.adminToken } }],
    contexts: [{ name: 'test', context: { ...named, namespace: 'rag' } }],
    'current-context': 'test',
  });
}
