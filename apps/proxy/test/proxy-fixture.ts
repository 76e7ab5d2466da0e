/** A proxy in this process, on free ports, and a client for it. */
import { createLogger } from '@ragscale/service/logging';
import type { Tracing } from '@ragscale/service/tracing';
import { readConfiguration } from '../src/configuration.ts';
import { RagProxy } from '../src/proxy.ts';

export interface ProxyFixture extends AsyncDisposable {
  readonly proxy: RagProxy;
  readonly port: number;
  readonly url: string;
  readonly adminUrl: string;
  /** Every line of the log, parsed. */
  readonly log: Record<string, unknown>[];
  post(body?: unknown, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>;
  metrics(): Promise<string>;
  /** Value of a series as it is exposed, such as `ragscale_proxy_waiting{route="default"}`; undefined where there is none. */
  metric(series: string): Promise<number | undefined>;
  /** Of every pod of every route. */
  states(): Promise<Record<string, string>>;
}

/** For tests of pods that answer no probes; elsewhere a machine that is busy must not look like one. */
export const IMPATIENT = { PROBE_TIMEOUT_MS: '100' };

/** Fast probes, so that tests need not wait. */
const FAST = { PROBE_INTERVAL_MS: '50', PROBE_TIMEOUT_MS: '2000', SLOW_START_MS: '0', SHUTDOWN_TIMEOUT_MS: '2000' };

/** @param pods where they listen; @param env more of the configuration; @param tracing none unless given */
export async function startProxy(
  pods: readonly { readonly url: string }[],
  env: Record<string, string> = {},
  tracing?: Tracing,
): Promise<ProxyFixture> {
  const log: Record<string, unknown>[] = [];
  const logger = createLogger(
    { level: 'debug', format: 'json' },
    { write: (line: string) => log.push(JSON.parse(line)) },
  );
  const configuration = readConfiguration({
    PORT: '0',
    ADMIN_PORT: '0',
    HOST: '127.0.0.1',
    BACKENDS: pods.map(({ url }) => url).join(','),
    ...FAST,
    ...env,
  });
  const proxy = new RagProxy({ configuration, logger, tracing });
  const { port, adminPort } = await proxy.listen();
  await proxy.start();
  const url = `http://127.0.0.1:${port}`;
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  const metrics = async () => (await fetch(`${adminUrl}/metrics`)).text();
  return {
    proxy,
    port,
    url,
    adminUrl,
    log,
    post: (body = { query: 'Which animals can hover in the air?' }, headers = {}, signal) =>
      fetch(`${url}/rag`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
        ...(signal === undefined ? {} : { signal }),
      }),
    metrics,
    metric: async (series) => {
      const line = (await metrics()).split('\n').find((each) => each.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
    states: async () => {
      const { routes } = (await (await fetch(`${adminUrl}/endpoints`)).json()) as {
        routes: Record<string, { id: string; state: string }[]>;
      };
      return Object.fromEntries(
        Object.values(routes)
          .flat()
          .map(({ id, state }) => [id, state]),
      );
    },
    [Symbol.asyncDispose]: async () => {
      await proxy.shutDown();
    },
  };
}

/** Resolves when `condition` holds; the test's own timeout ends the wait. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
