/** How is the API server asked for a collection? With the credentials that @kubernetes/client-node finds, and requests of our own. */
import { existsSync } from 'node:fs';
import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { type Dispatcher, request } from 'undici';
import { z } from 'zod';
import {
  ExpiredVersionError,
  type Listed,
  type ListedObject,
  type ListWatchClient,
  type WatchRequest,
} from './list-watch.ts';

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** The context that the client makes up when it has found nothing. */
const NOTHING_FOUND = 'loaded-context';
const LIST_TIMEOUT_MS = 30_000;
const MAX_ERROR_BYTES = 16_384;

/**
 * `KUBECONFIG` where it is set, the ServiceAccount inside a pod, ~/.kube/config elsewhere.
 * @throws Error when there is none of them
 */
export function loadKubeConfig(): KubeConfig {
  const config = new KubeConfig();
  if (!process.env.KUBECONFIG && process.env.KUBERNETES_SERVICE_HOST && existsSync(SERVICE_ACCOUNT_TOKEN)) {
    config.loadFromCluster();
    return config;
  }
  config.loadFromDefault();
  if (config.getCurrentContext() === NOTHING_FOUND) {
    throw new Error(
      'no credentials for Kubernetes: set KUBECONFIG, or run in a pod with automountServiceAccountToken: true',
    );
  }
  return config;
}

/** That of the pod or of the kubeconfig's context; `default` as for kubectl where neither says. */
export function namespaceOf(config: KubeConfig): string {
  return config.getContextObject(config.getCurrentContext())?.namespace?.trim() || 'default';
}

/** The API server's refusal. */
export class KubernetesError extends Error {
  override readonly name = 'KubernetesError';
  /** The HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface CollectionOptions<T> {
  readonly config: KubeConfig;
  /** Such as `/apis/discovery.k8s.io/v1/namespaces/rag/endpointslices`. */
  readonly path: string;
  readonly labelSelector?: string;
  /** Of one object. */
  readonly schema: z.ZodType<T>;
}

const statusSchema = z.object({ code: z.number().optional(), message: z.string().optional() });
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
    if (type === 'ERROR') throw refusal(statusSchema.parse(object), 500);
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
    const server = config.getCurrentCluster()?.server;
    if (!server) throw new Error('the kubeconfig has no current cluster');
    const url = new URL(server.replace(/\/$/, '') + path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    if (labelSelector) url.searchParams.set('labelSelector', labelSelector);

    const context = new RequestContext(url.href, HttpMethod.GET);
    await config.applySecurityAuthentication(context);
    signal.throwIfAborted();
    const dispatcher = context.getDispatcher();
    try {
      const { statusCode, body } = await request(url, {
        headers: { ...context.getHeaders(), accept: 'application/json' },
        signal,
        bodyTimeout: 0,
        ...(dispatcher && { dispatcher }),
      });
      // Without a listener an abort between two reads would be an uncaught exception.
      body.on('error', () => undefined);
      if (statusCode !== 200) throw await refusalIn(body, statusCode);
      return await read(body);
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      await dispatcher?.destroy();
    }
  }
}

async function refusalIn(body: Dispatcher.ResponseData['body'], statusCode: number): Promise<Error> {
  const text = (await body.text()).slice(0, MAX_ERROR_BYTES);
  try {
    return refusal({ ...statusSchema.parse(JSON.parse(text)), code: statusCode }, statusCode);
  } catch {
    return refusal({ message: text.slice(0, 200) }, statusCode);
  }
}

/** @param status an object of the kind `Status` */
function refusal({ code, message }: z.output<typeof statusSchema>, otherwise: number): Error {
  const status = code ?? otherwise;
  const words = message || `the API server answered ${status}`;
  return status === 410 ? new ExpiredVersionError(words) : new KubernetesError(status, words);
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
