/** How does a model come from the hub into the cache: which files, several at once, and whole or not at all? */
import { existsSync, mkdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fetchBlob } from './blob.ts';
import { HubCache } from './hub-cache.ts';
import { HubError } from './hub-error.ts';
import { type ModelName, parseModelName } from './model-name.ts';
import { neededFiles, shardsOf } from './needed-files.ts';
import { Patience, type Sleep } from './patience.ts';
import { DEFAULT_REVISION, PINNED_REVISIONS } from './pinned-revisions.ts';
import { commitOf, filesOf, type HubAccess, type RemoteFile } from './repository.ts';
import type { HubSettings } from './settings.ts';

const AT_ONCE = 4;

export interface PullOptions {
  /** `org/name`, with `@revision` behind it or not. */
  readonly model: string;
  readonly settings: HubSettings;
  /** Called often, also with less than before when a file is begun again. */
  readonly onProgress?: (file: string, doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
  /** For tests, which do not wait. */
  readonly sleep?: Sleep;
}

export interface Pulled {
  readonly name: string;
  readonly revision: string;
  readonly commit: string;
  /** A checkpoint folder. */
  readonly folder: string;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly fetchedBytes: number }[];
}

/** @throws HubError in one line; what had arrived is used by the next pull */
export async function pullModel({ model, settings, ...options }: PullOptions): Promise<Pulled> {
  const name = parseModelName(model);
  const revision = name.revision ?? PINNED_REVISIONS[name.repository] ?? DEFAULT_REVISION;
  const cache = new HubCache(settings.cache, name.repository);
  const known = cache.commitOf(revision);
  const result = (commit: string, files: Pulled['files']): Pulled => {
    return { name: name.repository, revision, commit, folder: cache.snapshot(commit), files };
  };
  // A commit never changes: when it is here there is nothing to ask.
  if (known !== undefined && (settings.offline || known === revision)) {
    const state = cache.inspect(known);
    if ('files' in state)
      return result(
        known,
        state.files.map((file) => ({ ...file, fetchedBytes: 0 })),
      );
    if (settings.offline) throw offline(`${settings.cache} lacks ${state.lacking} of ${name.repository}@${revision}`);
  }
  if (settings.offline) throw offline(`${settings.cache} has nothing of ${name.repository}@${revision}`);
  const sleep: Sleep = options.sleep ?? (async (ms, signal) => void (await delay(ms, undefined, signal && { signal })));
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const hub = { settings, sleep, signal, newPatience: () => new Patience(sleep) };
  try {
    const commit = await commitOf(hub, { repository: name.repository, revision });
    const pull = new Pull(hub, cache, name, commit, options.onProgress);
    const files = await pull.run(stop);
    cache.rememberCommit(revision, commit);
    return result(commit, files);
  } catch (error) {
    throw inWords(error, settings);
  }
}

/** The checkpoint folder of a model as it is pulled without a revision, when all of it is in the cache. */
export function pulledFolder(name: string, settings: HubSettings): string | undefined {
  const cache = new HubCache(settings.cache, name);
  const commit = cache.commitOf(PINNED_REVISIONS[name] ?? DEFAULT_REVISION);
  return commit !== undefined && 'files' in cache.inspect(commit) ? cache.snapshot(commit) : undefined;
}

class Pull {
  readonly #hub: HubAccess & { sleep: Sleep };
  readonly #cache: HubCache;
  readonly #repository: string;
  readonly #commit: string;
  readonly #onProgress: PullOptions['onProgress'];

  constructor(
    hub: HubAccess & { sleep: Sleep },
    cache: HubCache,
    { repository }: ModelName,
    commit: string,
    onProgress: PullOptions['onProgress'],
  ) {
    this.#hub = hub;
    this.#cache = cache;
    this.#repository = repository;
    this.#commit = commit;
    this.#onProgress = onProgress;
  }

  async run(stop: AbortController): Promise<Pulled['files']> {
    const listed = await filesOf(this.#hub, this.#repository, this.#commit);
    const byPath = new Map(listed.map((file) => [file.path, file]));
    const { description, weights } = neededFiles(new Set(byPath.keys()));
    if (!description.includes('config.json')) throw this.#unusable('no config.json');
    if (weights === undefined) throw this.#unusable('no weights as safetensors or PyTorch files');
    const fetched = new Map<string, number>();
    const names = [...description];
    if ('file' in weights) names.push(weights.file);
    else names.push(weights.index, ...(await this.#shards(byPath.get(weights.index)!, byPath, fetched)));
    const wanted = names.map((name) => byPath.get(name)!).filter(({ path: name }) => !fetched.has(name));
    this.#checkSpace(wanted);
    await this.#fetchAll(wanted, fetched, stop);
    // Only now, and the weights last: a snapshot that has weights is whole.
    for (const name of names) this.#cache.link(this.#commit, name, byPath.get(name)!.digest.hex);
    return names.map((name) => ({ path: name, bytes: byPath.get(name)!.bytes, fetchedBytes: fetched.get(name) ?? 0 }));
  }

  async #shards(
    index: RemoteFile,
    byPath: ReadonlyMap<string, RemoteFile>,
    fetched: Map<string, number>,
  ): Promise<readonly string[]> {
    await this.#fetch(index, fetched);
    const shards = shardsOf(readFileSync(this.#cache.blob(index.digest.hex), 'utf8'));
    if (shards === undefined) throw this.#unusable(`a ${index.path} without a weight_map`);
    const missing = shards.find((shard) => !byPath.has(shard));
    if (missing !== undefined) throw this.#unusable(`no ${missing}, which ${index.path} names`);
    return shards;
  }

  async #fetchAll(wanted: readonly RemoteFile[], fetched: Map<string, number>, stop: AbortController): Promise<void> {
    // The largest first: it takes longest.
    const queue = wanted.toSorted((a, b) => b.bytes - a.bytes);
    let first: unknown;
    const worker = async () => {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
        try {
          await this.#fetch(file, fetched);
        } catch (error) {
          // The others stop where they are; the first failure is the one to report.
          first ??= error;
          queue.length = 0;
          stop.abort();
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (first !== undefined) throw first;
  }

  async #fetch(file: RemoteFile, fetched: Map<string, number>): Promise<void> {
    const { path: name, bytes } = file;
    const onProgress = (done: number) => this.#onProgress?.(name, done, bytes);
    const request = { repository: this.#repository, commit: this.#commit, file, onProgress };
    fetched.set(name, await fetchBlob(this.#hub, this.#cache, request));
    onProgress(bytes);
  }

  #checkSpace(wanted: readonly RemoteFile[]): void {
    const missing = wanted.filter(({ digest }) => !existsSync(this.#cache.blob(digest.hex)));
    const needed = missing.reduce(
      (sum, { digest, bytes }) => sum + bytes - sizeOf(`${this.#cache.blob(digest.hex)}.incomplete`),
      0,
    );
    mkdirSync(this.#cache.folder, { recursive: true });
    const { bavail, bsize } = statfsSync(this.#cache.folder);
    if (needed <= bavail * bsize) return;
    const room = `${gigabytes(needed)} more in ${this.#cache.folder}, and ${gigabytes(bavail * bsize)} are free`;
    throw new HubError('disk-full', `${this.#repository} needs ${room}`);
  }

  #unusable(what: string): HubError {
    return new HubError('no-weights', `${this.#repository} at ${this.#commit.slice(0, 7)} has ${what}`);
  }
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

const offline = (what: string) => new HubError('offline', `the hub is not to be asked (offline), and ${what}`);

/** What the file system refuses is not our mistake. */
function inWords(error: unknown, settings: HubSettings): unknown {
  const { code, path: file } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new HubError(
      'disk-full',
      `no space is left in ${settings.cache}; what has arrived stays, and the next pull goes on from there`,
      { cause: error },
    );
  }
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM' || code === 'ENOTDIR') {
    return new HubError('cache', `${file ?? settings.cache} cannot be written (${code}): HF_HOME names another place`, {
      cause: error,
    });
  }
  return error;
}
