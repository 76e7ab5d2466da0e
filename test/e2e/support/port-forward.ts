/** How does a test reach what runs in the cluster? By its address where the host has a route there, by kubectl port-forward elsewhere. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { cluster } from './cluster.ts';
import { waitFor } from './wait-for.ts';

export interface Way {
  /** `http://host:port` */
  readonly url: string;
  /** By its address: several connections at once, and no process between that ends with a pod. */
  readonly direct: boolean;
  close(): Promise<void>;
}

const FIRST_CONNECTION_MS = 2_000;

interface ServiceObject {
  readonly spec: { readonly clusterIP: string };
}

/** To a Service with an address of its own. To be closed. */
export async function wayToService(namespace: string, name: string, port: number): Promise<Way> {
  const at = `/api/v1/namespaces/${namespace}/services/${name}`;
  const { spec } = await cluster().request<ServiceObject>('GET', at);
  return wayTo(namespace, `service/${name}`, spec.clusterIP, port);
}

/** To a pod that runs. To be closed. */
export async function wayToPod(namespace: string, name: string, port: number): Promise<Way> {
  const at = `/api/v1/namespaces/${namespace}/pods/${name}`;
  const { status } = await cluster().request<{ status: { podIP: string } }>('GET', at);
  return wayTo(namespace, `pod/${name}`, status.podIP, port);
}

async function wayTo(namespace: string, what: string, address: string, port: number): Promise<Way> {
  if (await accepts(address, port)) return { url: `http://${address}:${port}`, direct: true, close: async () => {} };
  return portForward(namespace, what, port);
}

/** Until it is closed: kubectl ends when the pod behind it goes, and is started again on the same port. */
export async function portForward(namespace: string, what: string, port: number): Promise<Way> {
  const first = await startPortForward(namespace, what, `:${port}`);
  const local = first.port;
  let current: ChildProcess = first.child;
  let closed = false;
  const watch = async () => {
    while (!closed) {
      if (current.exitCode === null && current.signalCode === null) await once(current, 'exit');
      if (closed) return;
      const again = await startPortForward(namespace, what, `${local}:${port}`).catch(() => undefined);
      if (again) current = again.child;
      else await delay(500);
    }
  };
  const watched = watch();
  return {
    url: `http://127.0.0.1:${local}`,
    direct: false,
    close: async () => {
      closed = true;
      current.kill();
      await watched;
    },
  };
}

async function startPortForward(
  namespace: string,
  what: string,
  ports: string,
): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn('kubectl', ['port-forward', '--namespace', namespace, '--address=127.0.0.1', what, ports], {
    env: { ...process.env, KUBECONFIG: cluster().kubeconfig },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /^Forwarding from 127\.0\.0\.1:(\d+) /.exec(line)?.[1];
    if (port === undefined) continue;
    // Its output is read on, so that it is never held up by a full pipe.
    child.stdout.resume();
    return { child, port: Number(port) };
  }
  throw new Error(`kubectl port-forward ${what} ${ports}: ${said.trim()}`);
}

function accepts(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, timeout: FIRST_CONNECTION_MS });
  const tell = (answer: boolean) => {
    socket.destroy();
    resolve(answer);
  };
  socket.once('connect', () => tell(true));
  socket.once('timeout', () => tell(false));
  socket.once('error', () => tell(false));
  return promise;
}

/** Resolves when it answers a GET with 200. */
export async function answers(way: Way, path: string, namespace: string): Promise<void> {
  const ok = async () => (await fetch(way.url + path, { signal: AbortSignal.timeout(5_000) })).ok;
  await waitFor(`${way.url}${path} answers`, ok, { namespace });
}
