/**
 * A cluster that costs next to nothing: many calm targets, what an API server says of them over TLS, and what Prometheus measures of them.
 * Every answer is made once; run as a program of its own by whoever wants to know what the asking costs.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { calmRows, FakePrometheus } from '../../apps/autoscaler/test/fake-prometheus.ts';

export interface LightTarget {
  readonly namespace: string;
  /** Of the resource, the Deployment and the route. */
  readonly name: string;
  readonly pods: readonly string[];
}

/** Of the API server: PEM in `certificate`. */
export interface LightCluster {
  readonly apiServer: string;
  readonly certificate: string;
  readonly prometheus: string;
  /** So far, by the kind of question. */
  counts(): Record<string, number>;
}

const NAMESPACES = 50;

export function lightTargets(count: number, podsEach: number): LightTarget[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `rag-${index}`;
    const pods = Array.from({ length: podsEach }, (_, pod) => `${name}-7d9c5b6f4-${pod}`);
    return { namespace: `ns-${index % NAMESPACES}`, name, pods };
  });
}

export async function startLightCluster(targets: readonly LightTarget[]): Promise<LightCluster> {
  const counts: Record<string, number> = {};
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const calm = calmRows(targets.map(({ name, ...target }) => ({ ...target, route: name })));
  const rows = new Map<string, ReturnType<typeof calm>>();
  const prometheus = await FakePrometheus.start((kind, query) => {
    count('Prometheus');
    const known = rows.get(query) ?? calm(kind, query);
    rows.set(query, known);
    return known;
  });
  const { key, certificate } = selfSigned();
  const answers = answersOf(targets);
  const server = createServer({ key, cert: certificate }, (request, response) => {
    void answer(request, response, answers, count);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const apiServer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { apiServer, certificate, prometheus: prometheus.url, counts: () => ({ ...counts }) };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  answers: ReadonlyMap<string, string>,
  count: (what: string) => void,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://localhost');
  response.setHeader('content-type', 'application/json');
  if (searchParams.get('watch') === 'true') {
    count('watch');
    // Nothing ever changes; it ends as agreed.
    response.flushHeaders();
    setTimeout(() => response.end(), 1_000 * Number(searchParams.get('timeoutSeconds'))).unref();
    return;
  }
  count(`${request.method} ${pathname.replace(/\/namespaces\/[^/]+/, '').replace(/rag-\d+/, '*')}`);
  // What is written is what is there then, as far as anybody reads it.
  const text = request.method === 'GET' ? answers.get(pathname) : await textOf(request);
  if (text === undefined)
    response.writeHead(404).end(JSON.stringify({ kind: 'Status', code: 404, message: 'not found' }));
  else response.end(text);
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** By path. */
function answersOf(targets: readonly LightTarget[]): ReadonlyMap<string, string> {
  const creationTimestamp = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const metadata = (namespace: string, name: string) => ({
    ...{ namespace, name, uid: `${namespace}/${name}`, resourceVersion: '1', generation: 1, creationTimestamp },
    labels: { app: name.split('-', 2).join('-') },
  });
  const list = (items: readonly object[]) => JSON.stringify({ metadata: { resourceVersion: '1' }, items });
  const resources = targets.map(({ namespace, name, pods }) => ({
    metadata: metadata(namespace, name),
    // As many as it has: it is content, and stays so.
    spec: { scaleTargetRef: { name }, minReplicas: pods.length, maxReplicas: 100, objective: { latency: '2s' } },
  }));
  const pods = targets.flatMap(({ namespace, pods }) =>
    pods.map((name) => ({
      metadata: metadata(namespace, name),
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    })),
  );
  const kinds = ['deployments', 'deployments/scale'].map((name) => ({ name, kind: 'Deployment', namespaced: true }));
  return new Map([
    ['/apis/ragscale.dev/v1alpha1/latencyautoscalers', list(resources)],
    ['/api/v1/pods', list(pods)],
    ['/apis/apps/v1', JSON.stringify({ resources: kinds })],
    ...targets.map(({ namespace }): [string, string] => [
      `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`,
      list([]),
    ]),
    ...targets.map(({ namespace, name, pods }): [string, string] => [
      `/apis/apps/v1/namespaces/${namespace}/deployments/${name}/scale`,
      JSON.stringify({
        metadata: metadata(namespace, name),
        spec: { replicas: pods.length },
        status: { replicas: pods.length, selector: `app=${name}` },
      }),
    ]),
  ]);
}

function selfSigned(): { readonly key: string; readonly certificate: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'ragscale-light-cluster-'));
  try {
    const [key, certificate] = [path.join(folder, 'key.pem'), path.join(folder, 'certificate.pem')];
    const made = spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=light', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate],
    ]);
    if (made.status !== 0) throw new Error(`openssl: ${made.error?.message ?? made.stderr.toString()}`);
    return { key: readFileSync(key, 'utf8'), certificate: readFileSync(certificate, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
