/** How is the API server asked for a collection? With the credentials that @kubernetes/client-node finds, and requests of our own. */
import type { KubeConfig } from '@kubernetes/client-node';
import { type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { credentialsOf, urlOf } from './credentials.ts';
import { type KubernetesError, refusal, refusalIn } from './kubernetes-error.ts';
import {
  ExpiredVersionError,
  type Listed,
  type ListedObject,
  type ListWatchClient,
  type WatchRequest,
} from './list-watch.ts';
import { unlessAborted } from './unless-aborted.ts';

const LIST_TIMEOUT_MS = 30_000;
const MAX_ERROR_BYTES = 16_384;

export interface CollectionOptions<T> {
  readonly config: KubeConfig;
  /** Such as `/apis/discovery.k8s.io/v1/namespaces/rag/endpointslices`. */
  readonly path: string;
  readonly labelSelector?: string;
  /** Of one object. */
  readonly schema: z.ZodType<T>;
}

const versionSchema = z.object({ metadata: z.object({ resourceVersion: z.string() }) });
const eventSchema = z.object({
  type: z.enum(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']),
  object: z.unknown(),
});

/**
 * Not the client's own `Watch`: that ends every watch that is quiet for 30 s, drops the words of a refusal and cannot be
 * told to stop while it connects.
 */
export class KubernetesCollection<T extends ListedObject> implements ListWatchClient<T> {
  readonly #options: CollectionOptions<T>;

  constructor(options: CollectionOptions<T>) {
    this.#options = options;
  }

  async list(signal: AbortSignal): Promise<Listed<T>> {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LIST_TIMEOUT_MS)]);
    const schema = versionSchema.extend({ items: z.array(this.#options.schema).nullish() });
    // Without a version: the newest, as etcd has it, and not what the API server has in its cache.
    const { metadata, items } = await this.#get({}, limited, async (body) => schema.parse(await body.json()));
    return { items: items ?? [], resourceVersion: metadata.resourceVersion };
  }

  async watch(wanted: WatchRequest<T>, signal: AbortSignal): Promise<void> {
    const query = {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: wanted.resourceVersion,
      timeoutSeconds: `${wanted.timeoutSeconds}`,
    };
    await this.#get(query, signal, async (body) => {
      wanted.onOpen();
      for await (const line of linesOf(body)) this.#passOn(line, wanted);
    });
  }

  #passOn(line: string, { onEvent }: WatchRequest<T>): void {
    const { type, object } = eventSchema.parse(JSON.parse(line));
    if (type === 'ERROR') throw expiredOr(refusal(object, 500));
    if (type === 'BOOKMARK') onEvent({ type, resourceVersion: versionSchema.parse(object).metadata.resourceVersion });
    else onEvent({ type, object: this.#options.schema.parse(object) });
  }

  /** A connection of its own for each request: one that died unnoticed takes no other with it, and certificates are read anew. */
  async #get<Answer>(
    query: Record<string, string>,
    signal: AbortSignal,
    read: (body: Dispatcher.ResponseData['body']) => Promise<Answer>,
  ): Promise<Answer> {
    const { config, path, labelSelector } = this.#options;
    const url = urlOf(config, path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    if (labelSelector) url.searchParams.set('labelSelector', labelSelector);

    const { headers, dispatcher } = await credentialsOf(config);
    signal.throwIfAborted();
    try {
      const asked = request(url, {
        headers: { ...headers, accept: 'application/json' },
        signal,
        bodyTimeout: 0,
        ...(dispatcher && { dispatcher }),
      });
      const { statusCode, body } = await unlessAborted(asked, signal);
      // Without a listener an abort between two reads would be an uncaught exception.
      body.on('error', () => undefined);
      if (statusCode !== 200) throw expiredOr(refusalIn((await body.text()).slice(0, MAX_ERROR_BYTES), statusCode));
      return await read(body);
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      // Not waited for: that would take as long as a connection that is just being opened and never answered.
      dispatcher?.destroy().catch(() => undefined);
    }
  }
}

function expiredOr(error: KubernetesError): Error {
  return error.status === 410 ? new ExpiredVersionError(error.message) : error;
}

async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pending = '';
  for await (const chunk of body) {
    pending += decoder.decode(chunk, { stream: true });
    const lines = pending.split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield line;
  }
}
