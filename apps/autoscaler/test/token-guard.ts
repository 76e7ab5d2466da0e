/** What stands before Prometheus in many clusters: TLS with a certificate of one's own, and nobody comes in without the token. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

export class TokenGuard implements AsyncDisposable {
  /** PEM. */
  readonly certificate: string;
  /** The one that is valid now. */
  token: string;
  readonly #server: Server;

  private constructor(server: Server, certificate: string, token: string) {
    this.#server = server;
    this.certificate = certificate;
    this.token = token;
  }

  /** @param target to which requests go on @throws Error where there is no openssl */
  static async start(target: string, token: string): Promise<TokenGuard> {
    const { key, certificate } = await selfSigned();
    const server = createServer({ key, cert: certificate });
    const guard = new TokenGuard(server, certificate, token);
    server.on('request', (incoming, response) => {
      if (incoming.headers.authorization !== `Bearer ${guard.token}`) return response.writeHead(401).end('no');
      const { method, url, headers } = incoming;
      const outgoing = request(new URL(url ?? '/', target), { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      outgoing.on('error', () => response.writeHead(502).end());
      return incoming.pipe(outgoing);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return guard;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

/** As Kubernetes mounts them. */
export class SecretFiles implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(contents: Readonly<Record<'token' | 'ca', string>>): Promise<SecretFiles> {
    const files = new SecretFiles(await mkdtemp(path.join(tmpdir(), 'ragscale-secret-')));
    for (const [name, text] of Object.entries(contents)) await files.write(name as 'token' | 'ca', text);
    return files;
  }

  get tokenFile(): string {
    return path.join(this.#folder, 'token');
  }

  get caFile(): string {
    return path.join(this.#folder, 'ca');
  }

  async write(name: 'token' | 'ca', text: string): Promise<void> {
    await writeFile(path.join(this.#folder, name), text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

async function selfSigned(): Promise<{ key: string; certificate: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ragscale-certificate-'));
  try {
    const at = (name: string) => path.join(folder, name);
    const made = spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=prometheus', '-addext', 'subjectAltName=IP:127.0.0.1'],
      ...['-keyout', at('key.pem'), '-out', at('certificate.pem')],
    ]);
    if (made.status !== 0) throw new Error(`openssl: ${made.error?.message ?? made.stderr.toString()}`);
    return { key: await readFile(at('key.pem'), 'utf8'), certificate: await readFile(at('certificate.pem'), 'utf8') };
  } finally {
    await rm(folder, { recursive: true });
  }
}
