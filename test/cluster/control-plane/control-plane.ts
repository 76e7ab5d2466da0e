/**
 * What do the tests talk to that need a real API server? etcd and kube-apiserver as processes: every object and right of Kubernetes, but
 * nobody who acts on them, so a Deployment stays a wish and a test plays the controllers.
 */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, request } from 'undici';
import { Program } from './program.ts';

const READY_MS = 90_000;
const BUILD = path.join(import.meta.dirname, 'build.sh');
const PROGRAMS = ['etcd', 'kube-apiserver'] as const;

function builtFolder(): string {
  return spawnSync('bash', [BUILD, '--where'], { encoding: 'utf8' }).stdout?.trim() ?? '';
}

/** In words for the name of a test that is skipped; undefined when all is there. */
export function missingForControlPlane(): string | undefined {
  const missing: string[] = PROGRAMS.filter((name) => !existsSync(path.join(builtFolder(), name)));
  if (missing.length > 0) return `${missing.join(' and ')} not built: bash test/cluster/control-plane/build.sh`;
  return spawnSync('openssl', ['version']).error ? 'openssl not installed' : undefined;
}

export interface ControlPlaneOptions {
  /** In addition to those that every test needs, such as `--etcd-compaction-interval=1s`. */
  readonly apiServerFlags?: readonly string[];
}

/** Ready for requests when it resolves, some seconds later. To be stopped; at the end of the process it is in any case. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ragscale-control-plane-'));
  const plane = new ControlPlane(folder, await freePorts(3), options);
  try {
    await plane.start();
    return plane;
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

export class ControlPlane {
  /** `https://127.0.0.1:port`, the same after a restart. */
  readonly url: string;
  /** With the rights of an administrator, for a process that takes `KUBECONFIG`. */
  readonly kubeconfigFile: string;
  /** Of the administrator: `system:masters`. */
  readonly adminToken = randomBytes(16).toString('hex');
  readonly #folder: string;
  readonly #etcd: Program;
  readonly #apiServer: Program;
  readonly #removeFolder: () => void;
  #agent = new Agent();

  constructor(folder: string, ports: readonly number[], options: ControlPlaneOptions) {
    const [apiPort, etcdPort, peerPort] = ports;
    this.#folder = folder;
    this.url = `https://127.0.0.1:${apiPort}`;
    this.kubeconfigFile = this.#file('admin.kubeconfig');
    const etcd = `http://127.0.0.1:${etcdPort}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    const programs = builtFolder();
    this.#etcd = new Program(path.join(programs, 'etcd'), this.#file('etcd.log'), [
      '--name=test',
      `--data-dir=${this.#file('etcd')}`,
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=test=${peer}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ]);
    this.#apiServer = new Program(path.join(programs, 'kube-apiserver'), this.#file('kube-apiserver.log'), [
      `--etcd-servers=${etcd}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${apiPort}`,
      // Nobody reaches the Service `kubernetes` here, and a loopback address could not stand in it.
      '--advertise-address=192.0.2.1',
      '--endpoint-reconciler-type=none',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--authorization-mode=RBAC',
      `--token-auth-file=${this.#file('tokens.csv')}`,
      `--tls-cert-file=${this.#file('server.crt')}`,
      `--tls-private-key-file=${this.#file('server.key')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${this.#file('service-accounts.key')}`,
      `--service-account-signing-key-file=${this.#file('service-accounts.key')}`,
      ...(options.apiServerFlags ?? []),
    ]);
    this.#removeFolder = () => rmSync(folder, { recursive: true, force: true });
    process.once('exit', this.#removeFolder);
  }

  async start(): Promise<void> {
    this.#makeCredentials();
    this.#etcd.start();
    await this.restart();
  }

  /** A bearer token's configuration for @kubernetes/client-node: the administrator's unless given, `namespace` that of its context. */
  config(token = this.adminToken, namespace?: string): KubeConfig {
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: 'test', server: this.url, caFile: this.#file('server.crt') }],
      users: [{ name: 'user', token }],
      contexts: [{ name: 'test', cluster: 'test', user: 'user', ...(namespace && { namespace }) }],
      currentContext: 'test',
    });
    return config;
  }

  /**
   * As the administrator.
   * @param patchType for PATCH: a merge patch (RFC 7386) unless given
   * @throws Error with the server's words when it refuses
   */
  async request(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    at: string,
    body?: object,
    patchType = 'application/merge-patch+json',
  ): Promise<unknown> {
    const answer = await request(this.url + at, {
      method,
      dispatcher: this.#agent,
      headers: {
        authorization: `Bearer ${this.adminToken}`,
        accept: 'application/json',
        'content-type': method === 'PATCH' ? patchType : 'application/json',
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${at}: ${answer.statusCode} ${text.slice(0, 500)}`);
    return JSON.parse(text);
  }

  /** With its ServiceAccount `default`, which a controller would make. */
  async createNamespace(name: string): Promise<void> {
    await this.request('POST', '/api/v1/namespaces', { metadata: { name } });
    await this.createServiceAccount(name, 'default');
  }

  async createServiceAccount(namespace: string, name: string): Promise<void> {
    await this.request('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
  }

  /** Valid for an hour, as a pod of the ServiceAccount would have it. */
  async serviceAccountToken(namespace: string, name: string): Promise<string> {
    const at = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const answer = await this.request('POST', at, { spec: { expirationSeconds: 3600 } });
    const { status } = answer as { status: { token: string } };
    return status.token;
  }

  /** A Role with these rules, bound to the ServiceAccount under the same name. */
  async grant(namespace: string, serviceAccount: string, rules: readonly object[]): Promise<void> {
    const at = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    const metadata = { name: serviceAccount };
    await this.request('POST', `${at}/roles`, { metadata, rules });
    await this.request('POST', `${at}/rolebindings`, {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: serviceAccount },
      subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace }],
    });
  }

  /** The API server dies as a machine does: no connection is closed in order. The data stay. */
  async kill(): Promise<void> {
    await this.#apiServer.stop('SIGKILL');
  }

  /** Every connection stays open and nothing is answered, until `thaw`. */
  freeze(): void {
    this.#apiServer.signal('SIGSTOP');
  }

  thaw(): void {
    this.#apiServer.signal('SIGCONT');
  }

  /** The API server again, at the same port and with the same data. Resolves when it is ready. */
  async restart(): Promise<void> {
    await this.#apiServer.stop('SIGTERM');
    this.#apiServer.start();
    const deadline = performance.now() + READY_MS;
    while (!(await this.#isReady())) {
      for (const program of [this.#etcd, this.#apiServer]) program.throwIfEnded();
      if (performance.now() > deadline)
        throw new Error(`not ready after ${READY_MS} ms: ${this.#apiServer.lastWords()}`);
      await delay(100);
    }
  }

  /** Leaves nothing behind. */
  async stop(): Promise<void> {
    await this.#apiServer.stop('SIGKILL');
    await this.#etcd.stop('SIGKILL');
    await this.#agent.destroy();
    this.#removeFolder();
    process.off('exit', this.#removeFolder);
  }

  #file(name: string): string {
    return path.join(this.#folder, name);
  }

  async #isReady(): Promise<boolean> {
    try {
      const { statusCode, body } = await request(`${this.url}/readyz`, {
        dispatcher: this.#agent,
        headers: { authorization: `Bearer ${this.adminToken}` },
        headersTimeout: 5_000,
      });
      await body.dump();
      return statusCode === 200;
    } catch {
      return false;
    }
  }

  #makeCredentials(): void {
    const made = spawnSync('openssl', [
      ...['req', '-x509', '-nodes', '-days', '2', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
      ...['-subj', '/CN=kube-apiserver', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
      ...['-keyout', this.#file('server.key'), '-out', this.#file('server.crt')],
    ]);
    if (made.status !== 0) throw new Error(`openssl: ${made.error?.message ?? made.stderr.toString()}`);
    // One certificate is its own authority.
    this.#agent = new Agent({ connect: { ca: readFileSync(this.#file('server.crt')) } });
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(this.#file('service-accounts.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), {
      mode: 0o600,
    });
    writeFileSync(this.#file('tokens.csv'), `${this.adminToken},admin,admin,"system:masters"\n`, { mode: 0o600 });
    writeFileSync(this.kubeconfigFile, this.config().exportConfig(), { mode: 0o600 });
  }
}

/** Taken together, so that no two are the same. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  try {
    return await Promise.all(
      servers.map(async (server) => {
        await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
        const address = server.address();
        if (!address || typeof address === 'string') throw new Error('no port');
        return address.port;
      }),
    );
  } finally {
    for (const server of servers) server.close();
  }
}
