/**
 * A hub to test against: HTTP with the paths, headers and redirects of huggingface.co, small models in memory, and faults on demand.
 * Large files (LFS) are served by a second server, as the real one has its bytes elsewhere.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Fault, type Headers, sendFile } from './faulty-file.ts';

export interface ServedFile {
  readonly content: Buffer;
  readonly lfs?: boolean;
}

export interface Logged {
  readonly host: 'hub' | 'storage';
  readonly url: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

export interface Refusal {
  readonly status: number;
  readonly code?: string;
  readonly message?: string;
}

export class HubServer {
  readonly log: Logged[] = [];
  /** Bytes of file contents handed to sockets. */
  sentBytes = 0;
  /** For each response that carries this file, in order; none when they are used up. */
  readonly faults = new Map<string, (Fault | undefined)[]>();
  /** Answers every request for this repository. */
  refusal: Refusal | undefined;
  /** Of requests to the API, in order. */
  readonly apiFaults: { readonly status: number; readonly headers?: Headers }[] = [];
  /** When set, requests without it are refused as the hub refuses them. */
  wantsToken: string | undefined;
  /** Sizes that the list of files gives instead of the true ones. */
  readonly claimedBytes = new Map<string, number>();
  /** Entries of a page of the list of files. */
  pageSize = 1000;
  /** Waited for before a file, or the redirect to it, is sent. */
  onFile: ((path: string) => Promise<void>) | undefined;
  readonly #commits = new Map<string, Map<string, ServedFile>>();
  readonly #refs = new Map<string, string>();
  readonly #hub: Server;
  readonly #storage: Server;

  private constructor() {
    this.#hub = createServer((request, response) => this.#answer('hub', request, response));
    this.#storage = createServer((request, response) => this.#answer('storage', request, response));
  }

  static async start(): Promise<HubServer> {
    const server = new HubServer();
    for (const one of [server.#hub, server.#storage])
      await new Promise<void>((done) => one.listen(0, '127.0.0.1', done));
    return server;
  }

  async stop(): Promise<void> {
    for (const one of [this.#hub, this.#storage]) {
      one.closeAllConnections();
      await new Promise((done) => one.close(done));
    }
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#hub.address() as AddressInfo).port}`;
  }

  /** @returns the commit */
  add(repository: string, files: Readonly<Record<string, ServedFile>>, ...refs: readonly string[]): string {
    const commit = createHash('sha1')
      .update(repository)
      .update(JSON.stringify(Object.keys(files)));
    for (const { content } of Object.values(files)) commit.update(content);
    const hex = commit.digest('hex');
    this.addAt(hex, repository, files);
    for (const ref of refs) this.#refs.set(`${repository}@${ref}`, hex);
    return hex;
  }

  /** As `add`, under a commit that is given. */
  addAt(commit: string, repository: string, files: Readonly<Record<string, ServedFile>>): void {
    this.#commits.set(`${repository}@${commit}`, new Map(Object.entries(files)));
  }

  forget(): void {
    this.log.length = 0;
    this.sentBytes = 0;
  }

  requestsFor(path: string): Logged[] {
    return this.log.filter(({ url }) => /[0-9a-f]{40}\/([^?]+)/.exec(url)?.[1] === path);
  }

  async #answer(host: 'hub' | 'storage', request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const { range, authorization } = request.headers;
    this.log.push({ host, url: request.url!, range, authorization });
    const url = new URL(request.url!, this.endpoint);
    if (host === 'storage') {
      const [, repository, commit, path] = /^\/(.+)\/([0-9a-f]{40})\/(.+)$/.exec(decodeURI(url.pathname))!;
      const { content } = this.#commits.get(`${repository}@${commit}`)!.get(path!)!;
      return this.#send(response, content, path!, range);
    }
    if (this.refusal) return refuse(response, this.refusal);
    if (this.wantsToken !== undefined && authorization !== `Bearer ${this.wantsToken}`) {
      const message = authorization ? 'Invalid credentials in Authorization header' : 'Invalid username or password.';
      return refuse(response, { status: 401, message });
    }
    const api = /^\/api\/models\/(.+)\/(revision|tree)\/([^/]+)$/.exec(url.pathname);
    if (api) {
      const fault = this.apiFaults.shift();
      if (fault) return refuse(response, { status: fault.status }, fault.headers);
      return this.#describe(response, api[1]!, api[2]!, decodeURIComponent(api[3]!), url.searchParams);
    }
    const place = /^\/api\/resolve-cache\/models\/(.+)\/([0-9a-f]{40})\/(.+)$|^\/(.+)\/resolve\/([^/]+)\/(.+)$/;
    const found = place.exec(decodeURI(url.pathname));
    const [repository, revision, path] = found?.slice(1).filter((part) => part !== undefined) ?? [];
    const commit = this.#refs.get(`${repository}@${revision}`) ?? revision;
    const file = this.#commits.get(`${repository}@${commit}`)?.get(path!);
    if (file === undefined) return refuse(response, { status: 404, code: 'EntryNotFound', message: 'Entry not found' });
    const headers = { 'x-repo-commit': commit!, etag: `"${gitSha1(file.content)}"` };
    if (url.pathname.startsWith('/api/')) return this.#send(response, file.content, path!, range, headers);
    await this.onFile?.(path!);
    const { port } = this.#storage.address() as AddressInfo;
    const linked = { 'x-linked-etag': `"${sha256(file.content)}"`, 'x-linked-size': String(file.content.length) };
    const location = file.lfs
      ? `http://127.0.0.1:${port}/${repository}/${commit}/${path}?Signature=s`
      : `/api/resolve-cache/models/${repository}/${commit}/${path}`;
    return response.writeHead(file.lfs ? 302 : 307, { ...headers, ...(file.lfs && linked), location }).end('Found');
  }

  #send(
    response: ServerResponse,
    content: Buffer,
    path: string,
    range: string | undefined,
    headers: Headers = {},
  ): void {
    this.sentBytes += sendFile(response, content, range, this.faults.get(path)?.shift(), headers);
  }

  #describe(
    response: ServerResponse,
    repository: string,
    kind: string,
    revision: string,
    query: URLSearchParams,
  ): void {
    const commit = this.#refs.get(`${repository}@${revision}`) ?? revision;
    const files = this.#commits.get(`${repository}@${commit}`);
    if (files === undefined) {
      const isKnown = [...this.#commits.keys()].some((key) => key.startsWith(`${repository}@`));
      const code = isKnown ? 'RevisionNotFound' : 'RepoNotFound';
      refuse(response, { status: isKnown ? 404 : 401, code, message: 'Repository not found' });
      return;
    }
    if (kind === 'revision') {
      response.end(JSON.stringify({ id: repository, sha: commit, siblings: [] }));
      return;
    }
    const from = Number(query.get('cursor') ?? 0);
    const entries = [...files].map(([path, { content, lfs }]) => ({
      type: 'file',
      path,
      size: content.length,
      oid: gitSha1(content),
      ...(lfs && {
        lfs: { oid: sha256(content), size: this.claimedBytes.get(path) ?? content.length, pointerSize: 130 },
      }),
    }));
    const all = [{ type: 'directory', path: '1_Pooling', size: 0, oid: '0'.repeat(40) }, ...entries];
    const next = from + this.pageSize;
    if (next < all.length) {
      const link = `${this.endpoint}/api/models/${repository}/tree/${commit}?recursive=true&cursor=${next}`;
      response.setHeader('link', `<${link}>; rel="next"`);
    }
    response.end(JSON.stringify(all.slice(from, next)));
  }
}

function refuse(response: ServerResponse, { status, code, message }: Refusal, headers: Headers = {}): void {
  if (code) response.setHeader('x-error-code', code);
  if (message) response.setHeader('x-error-message', message);
  response.writeHead(status, headers).end(JSON.stringify({ error: message }));
}

export const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');
export const gitSha1 = (content: Buffer) =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');

/** The same bytes for a seed. */
export function bytesOf(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0, state = seed * 2654435761; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
