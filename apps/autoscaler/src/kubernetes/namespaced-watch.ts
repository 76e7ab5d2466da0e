/** What are the objects of one kind in the namespaces that we look after? */
import type { KubeConfig } from '@kubernetes/client-node';
import { KubernetesCollection } from '@ragscale/kubernetes/collection';
import { KubernetesError } from '@ragscale/kubernetes/kubernetes-error';
import { type ListedObject, ListWatch, type ListWatchClient } from '@ragscale/kubernetes/list-watch';
import type { Clock } from '@ragscale/service/clock';
import type { Logger } from 'pino';
import type { z } from 'zod';

/** By name, or every one that there is. */
export type Namespaces = readonly string[] | 'all';

export interface WatchedKind {
  /** Such as `/apis/apps/v1`, or `/api/v1`. */
  readonly group: string;
  readonly plural: string;
  /** What is to be done where the server does not know the kind. */
  readonly hint?: string;
}

export interface NamespacedWatchOptions<T extends ListedObject> {
  readonly config: KubeConfig;
  readonly namespaces: Namespaces;
  readonly kind: WatchedKind;
  readonly schema: z.ZodType<T>;
  readonly logger: Logger;
  readonly clock: Clock;
  /** After the first list of each namespace, and after every change. */
  onChange?(): void;
  /** See ListWatchOptions. */
  readonly watchSeconds?: number | undefined;
  readonly random?: () => number;
  /** @param path such as `/api/v1/namespaces/rag/pods`; with the credentials of `config` unless given */
  readonly openCollection?: (path: string) => ListWatchClient<T>;
}

export interface WatchTrouble {
  readonly words: string;
  /** Of the clock that was given. */
  readonly since: number;
}

interface Watched<T extends ListedObject> {
  readonly listWatch: ListWatch<T>;
  /** Undefined before the first list. */
  objects: readonly T[] | undefined;
  trouble: WatchTrouble | undefined;
  isForbidden: boolean;
}

const EVERYWHERE = '';

export class NamespacedWatch<T extends ListedObject> {
  readonly #options: NamespacedWatchOptions<T>;
  /** By namespace. */
  readonly #watched = new Map<string, Watched<T>>();
  readonly #first = Promise.withResolvers<void>();
  readonly #runs: Promise<void>[] = [];

  constructor(options: NamespacedWatchOptions<T>) {
    this.#options = options;
    const { namespaces } = options;
    for (const namespace of namespaces === 'all' ? [EVERYWHERE] : new Set(namespaces)) {
      const listWatch = this.#listWatch(namespace);
      this.#watched.set(namespace, { listWatch, objects: undefined, trouble: undefined, isForbidden: false });
    }
  }

  /** Resolves when each namespace was listed once, but for those that we may not list, of which the log tells; or after `stop`. */
  start(): Promise<void> {
    for (const { listWatch } of this.#watched.values()) this.#runs.push(listWatch.run());
    return this.#first.promise;
  }

  async stop(): Promise<void> {
    for (const { listWatch } of this.#watched.values()) listWatch.stop();
    this.#first.resolve();
    await Promise.all(this.#runs);
  }

  /** Of all namespaces; while the server is away what was there before. */
  all(): readonly T[] {
    return [...this.#watched.values()].flatMap(({ objects }) => objects ?? []);
  }

  /** Of the watch that `namespace` is in, so perhaps of others too. Undefined: not listed yet. */
  around(namespace: string): readonly T[] | undefined {
    return this.#of(namespace)?.objects;
  }

  troubleOf(namespace: string): WatchTrouble | undefined {
    return this.#of(namespace)?.trouble;
  }

  #of(namespace: string): Watched<T> | undefined {
    return this.#watched.get(namespace) ?? this.#watched.get(EVERYWHERE);
  }

  #listWatch(namespace: string): ListWatch<T> {
    const { config, kind, schema, logger, clock, watchSeconds, random } = this.#options;
    const { group, plural } = kind;
    const path = namespace === EVERYWHERE ? `${group}/${plural}` : `${group}/namespaces/${namespace}/${plural}`;
    const told = new Set<string>();
    const name = { kind: plural, ...(namespace !== EVERYWHERE && { namespace }) };
    return new ListWatch<T>({
      client: this.#options.openCollection?.(path) ?? new KubernetesCollection({ config, path, schema }),
      clock,
      watchSeconds,
      ...(random && { random }),
      onObjects: (objects) => this.#take(namespace, objects),
      onTrouble: (error, failures, pauseMs) => {
        const words = wordsFor(error, kind, namespace);
        const watched = this.#watched.get(namespace);
        if (watched) {
          watched.trouble = { words, since: watched.trouble?.since ?? clock.now() };
          watched.isForbidden = error instanceof KubernetesError && error.status === 403;
        }
        // The first time for everybody, then for those who look for it: it may take hours.
        logger[told.has(words) ? 'debug' : 'warn']({ err: error, failures, pauseMs, ...name }, words);
        told.add(words);
        this.#settle();
      },
      onRecovered: () => {
        told.clear();
        const watched = this.#watched.get(namespace);
        if (watched) watched.trouble = undefined;
        logger.info(name, 'the API server answers again');
      },
    });
  }

  #take(namespace: string, objects: readonly T[]): void {
    const watched = this.#watched.get(namespace);
    if (watched === undefined) return;
    watched.objects = objects;
    this.#options.onChange?.();
    this.#settle();
  }

  /** One namespace without its Role does not keep the others waiting. */
  #settle(): void {
    const all = [...this.#watched.values()];
    const isListed = ({ objects }: Watched<T>): boolean => objects !== undefined;
    if (all.some(isListed) && all.every((one) => isListed(one) || one.isForbidden)) this.#first.resolve();
  }
}

function wordsFor(error: unknown, { group, plural, hint }: WatchedKind, namespace: string): string {
  const where = namespace === EVERYWHERE ? 'in every namespace (a ClusterRole)' : `in the namespace ${namespace}`;
  const status = error instanceof KubernetesError ? error.status : undefined;
  if (status === 403) {
    const needed = `list and watch on ${plural} (API group ${JSON.stringify(groupOf(group))}) ${where}`;
    return `a right is missing: bind a Role with ${needed} to the ServiceAccount`;
  }
  if (status === 401) return 'the API server does not accept the credentials';
  if (status === 404) return `the API server knows no ${plural}${hint === undefined ? '' : `: ${hint}`}`;
  return `${plural} cannot be watched ${where}; those found before are kept`;
}

/** Of a path: `/apis/apps/v1` -> `apps`, `/api/v1` -> the empty one. */
function groupOf(path: string): string {
  return path.startsWith('/apis/') ? (path.split('/')[2] ?? '') : '';
}
