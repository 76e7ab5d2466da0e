/** A server that answers as Prometheus' API does, with what a test says. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { METRICS } from '@ragscale/service/metric-catalogue';
import { SAMPLES } from '../src/measuring/promql.ts';

export interface FakeRow {
  readonly labels: Readonly<Record<string, string>>;
  /** As it stands in the answer: `NaN`, `+Inf`. */
  readonly value: number | string;
}

/** What is asked, by what no other query has. */
export const KINDS = [
  ['arrivals', 'label_replace('],
  ['gauges', 'sum by (__name__'],
  ['sightings', 'timestamp('],
  ['lostProxies', 'up == 0'],
  ['scrapedTwice', '> 1'],
  ['bounds', 'status="200"'],
  ['goodShare', 'group_left'],
  ['serviceQuantileSeconds', 'histogram_quantile('],
  ['serviceSeconds', '_sum['],
  ['completionRate', '_count['],
] as const;
export type Kind = (typeof KINDS)[number][0];

export function kindOf(query: string): Kind {
  const found = KINDS.find(([, mark]) => query.includes(mark));
  if (found === undefined) throw new Error(`an unknown query: ${query}`);
  return found[0];
}

export type RowsOf = (kind: Kind, query: string) => readonly FakeRow[];

export class FakePrometheus implements AsyncDisposable {
  /** Every query that came. */
  readonly queries: string[] = [];
  /** Headers of the last one. */
  headers: IncomingMessage['headers'] = {};
  /** Paths that were asked for. */
  readonly paths = new Set<string>();
  rows: RowsOf = () => [];
  /** In place of the rows, for some queries. */
  interrupt: ((kind: Kind, response: ServerResponse) => boolean) | undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(rows: RowsOf): Promise<FakePrometheus> {
    const server = createServer();
    const fake = new FakePrometheus(server);
    fake.rows = rows;
    server.on('request', (request, response) => void fake.#serve(request, response));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const query = new URLSearchParams(body).get('query') ?? '';
    this.queries.push(query);
    this.headers = request.headers;
    this.paths.add(`${request.method} ${request.url}`);
    const kind = kindOf(query);
    if (this.interrupt?.(kind, response)) return;
    response.end(JSON.stringify(vector(this.rows(kind, query))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

export function vector(rows: readonly FakeRow[], at = 1_000_000): unknown {
  const result = rows.map(({ labels, value }) => ({ metric: labels, value: [at, String(value)] }));
  return { status: 'success', data: { resultType: 'vector', result } };
}

/** One target of a calm world. */
export interface Calm {
  readonly namespace: string;
  readonly route: string;
  readonly pods: readonly string[];
}

const INTERVAL_SECONDS = 2.5;

/** Two proxies for each, 10 arrivals a second, everything fresh and complete. */
export function calmRows(targets: readonly Calm[]): RowsOf {
  const ofRoutes = (value: number | string, more: Readonly<Record<string, string>> = {}) =>
    targets.map(({ namespace, route }) => ({ labels: { namespace, route, ...more }, value }));
  const ofPods = (value: number, more: Readonly<Record<string, string>> = {}) =>
    targets.flatMap(({ namespace, pods }) => pods.map((pod) => ({ labels: { namespace, pod, ...more }, value })));
  const ofProxies = (value: number, withRoute: boolean) =>
    targets.flatMap(({ namespace, route }) =>
      ['proxy-0', 'proxy-1'].map((pod) => ({
        labels: { namespace, pod, job: 'proxies', instance: `${pod}:9001`, ...(withRoute ? { route } : {}) },
        value,
      })),
    );
  const rows: Readonly<Record<Kind, (query: string) => readonly FakeRow[]>> = {
    arrivals: (query) => {
      const seconds = Number(/\[(\d+)s\]/.exec(query)?.[1]);
      return [...ofRoutes(10), ...ofRoutes(Math.floor(seconds / INTERVAL_SECONDS), { of: SAMPLES })];
    },
    gauges: () => [
      ...ofRoutes(3, { __name__: METRICS.proxyWaiting.name }),
      ...ofPods(1, { __name__: METRICS.requestsWaiting.name }),
      ...ofPods(4, { __name__: METRICS.requestsRunning.name }),
      ...ofPods(16, { __name__: METRICS.slots.name }),
    ],
    sightings: () => [...ofProxies(1.5, true), ...ofPods(2), ...ofProxies(120 / INTERVAL_SECONDS, false)],
    lostProxies: () => [],
    scrapedTwice: () => [],
    bounds: () => ['0.5', '1.0', '2', '+Inf'].flatMap((le) => ofRoutes(2, { le })),
    goodShare: () => ofRoutes(0.9, { le: '2' }),
    serviceQuantileSeconds: () => ofRoutes(0.8),
    serviceSeconds: () => ofRoutes(0.5),
    completionRate: () => ofRoutes(9.5),
  };
  return (kind, query) => rows[kind](query);
}
