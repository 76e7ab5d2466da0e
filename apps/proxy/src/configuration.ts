/** What a proxy can be told through its environment. */
import { POLICIES } from '@ragscale/balancing/policy';
import {
  DEADLINE_VARIABLES,
  LOG_VARIABLES,
  OBJECTIVE_VARIABLES,
  problemsOfDeadlines,
  SHUTDOWN_VARIABLES,
} from '@ragscale/service/common-variables';
import {
  ConfigurationError,
  integer,
  oneOf,
  readEnvironment,
  text,
  type ValuesOf,
} from '@ragscale/service/environment';
import { z } from 'zod';
import { BACKENDS_FORMAT, parseBackends, type RouteSpec } from './discovery/backends.ts';
import { parseSource } from './discovery/source-url.ts';

export const VARIABLES = {
  port: {
    name: 'PORT',
    about: 'Port for clients; 0 takes a free one.',
    ...integer(0, 65_535),
    fallback: '9000',
  },
  host: {
    name: 'HOST',
    about: 'Address that clients reach the proxy at.',
    ...text('an address of this machine'),
    fallback: '0.0.0.0',
  },
  adminPort: {
    name: 'ADMIN_PORT',
    about: 'Port for probes, metrics and administration; 0 takes a free one.',
    ...integer(0, 65_535),
    fallback: '9001',
  },
  adminHost: {
    name: 'ADMIN_HOST',
    about: 'Address of that port.',
    ...text('an address of this machine'),
    fallbackText: 'the one of `HOST`',
  },
  backends: {
    name: 'BACKENDS',
    about: 'Where the pods are, and which routes there are to them.',
    ...text(BACKENDS_FORMAT),
    fallbackText: 'none; needed unless `REGISTRATION=on`',
  },
  registration: {
    name: 'REGISTRATION',
    about: 'Whether pods may announce themselves at the administration port (`/register`, `/unregister`, `/assign`).',
    ...oneOf(['on', 'off']),
    fallback: 'off',
  },
  policy: {
    name: 'POLICY',
    about: 'Which pod gets the next request.',
    ...oneOf(POLICIES),
    fallback: 'round-robin',
  },
  stickyHeader: {
    name: 'STICKY_HEADER',
    about: 'Header by whose value a client gets the same pod again, as long as that has room.',
    schema: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,64}$/)
      .transform((name) => name.toLowerCase()),
    allowed: 'the name of a header',
  },
  podConcurrency: {
    name: 'POD_CONCURRENCY',
    about: 'Requests that a pod gets at once; what exceeds it waits in the proxy.',
    ...integer(1, 100_000),
    fallbackText: 'what the pod announces, shared among the proxies, and one; 128 where it announces nothing',
  },
  proxies: {
    name: 'PROXIES',
    about: 'Proxies that share the pods, this one included.',
    ...integer(1, 1_000),
    fallback: '1',
  },
  proxyService: {
    name: 'PROXY_SERVICE',
    about: 'The Service of the proxies, to count them in place of `PROXIES`.',
    schema: z.string().refine(isService),
    allowed: 'k8s://[namespace/]service[:port]',
  },
  zone: {
    name: 'ZONE',
    about: 'Zone of this proxy; pods whose EndpointSlice hints name it are preferred.',
    ...text('a value of the node label topology.kubernetes.io/zone'),
  },
  maxQueuedRequests: {
    name: 'MAX_QUEUED_REQUESTS',
    about: 'Requests of a route that may wait for a pod; more are refused with 429.',
    ...integer(0, 1_000_000),
    fallback: '2048',
  },
  maxQueuedBytes: {
    name: 'MAX_QUEUED_BYTES',
    about: 'Bytes of bodies of those that wait; more are refused with 429.',
    ...integer(0, 100_000_000_000),
    fallback: '67108864',
  },
  refuseBeyond: {
    name: 'REFUSE_BEYOND',
    about:
      'When a request that would have to wait is refused with 429 at once: if no answer is expected within `OBJECTIVE`, or only if none is expected by its deadline.',
    ...oneOf(['objective', 'deadline']),
    fallback: 'deadline',
  },
  ...DEADLINE_VARIABLES,
  maxTries: {
    name: 'MAX_TRIES',
    about: 'Pods that a request is given to, one after the other, when they fail before the first byte of an answer.',
    ...integer(1, 10),
    fallback: '3',
  },
  retryBudgetPercent: {
    name: 'RETRY_BUDGET_PERCENT',
    about:
      'Retries for each hundred requests of the last 10 seconds; 10 a second are free, and so is what a pod had that was taken out.',
    ...integer(0, 100),
    fallback: '20',
  },
  tryTimeoutMs: {
    name: 'TRY_TIMEOUT_MS',
    about:
      'A pod that has not begun to answer by then is given up for another that is able. 0: only when it stops answering probes; an answer that is not streamed begins when it is finished.',
    ...integer(0, 3_600_000),
    fallback: '0',
  },
  hedgePercentile: {
    name: 'HEDGE_PERCENTILE',
    about: 'A second pod is asked when the first has not begun to answer after this percentile of such times.',
    ...integer(50, 99),
    fallbackText: 'no hedging',
  },
  hedgeBudgetPercent: {
    name: 'HEDGE_BUDGET_PERCENT',
    about: 'Second askings for each hundred requests.',
    ...integer(0, 100),
    fallback: '5',
  },
  probeIntervalMs: {
    name: 'PROBE_INTERVAL_MS',
    about: 'Between two probes of a pod.',
    ...integer(50, 600_000),
    fallback: '1000',
  },
  probeTimeoutMs: {
    name: 'PROBE_TIMEOUT_MS',
    about: 'A probe without an answer by then has failed; two in a row take the pod out.',
    ...integer(50, 600_000),
    fallback: '1000',
  },
  ejectionFailures: {
    name: 'EJECTION_FAILURES',
    about: 'Failed requests in a row that take a pod out.',
    ...integer(1, 1_000),
    fallback: '5',
  },
  ejectionMs: {
    name: 'EJECTION_MS',
    about: 'How long, the first time; doubled each further time, up to 5 minutes.',
    ...integer(100, 300_000),
    fallback: '5000',
  },
  failOpenPercent: {
    name: 'FAIL_OPEN_PERCENT',
    about:
      'When fewer of the pods than this are able, those that were taken out for failing or silence are used as well.',
    ...integer(0, 100),
    fallback: '50',
  },
  slowStartMs: {
    name: 'SLOW_START_MS',
    about: 'A pod that has become able gets its full share after this time; 0 at once.',
    ...integer(0, 600_000),
    fallback: '5000',
  },
  connectTimeoutMs: {
    name: 'CONNECT_TIMEOUT_MS',
    about: 'A pod that does not take a connection by then is given up for another.',
    ...integer(10, 60_000),
    fallback: '1000',
  },
  streamIdleTimeoutMs: {
    name: 'STREAM_IDLE_TIMEOUT_MS',
    about: 'An answer that pauses for longer is broken off; 0 for never.',
    ...integer(0, 3_600_000),
    fallback: '30000',
  },
  publicPaths: {
    name: 'PUBLIC_PATHS',
    about:
      "Paths that are forwarded; `/v1/*` is all below `/v1/`. The pods have metrics and probes that are nobody's business.",
    schema: z
      .string()
      .transform((list) => list.split(',').map((path) => path.trim()))
      .pipe(z.array(z.string().regex(/^(?=\/)(\/[A-Za-z0-9_.~-]+)*(\/\*)?$/)).min(1)),
    allowed: 'paths with commas between them, such as /rag,/v1/*',
    fallback: '/rag,/v1/*,/docs,/docs/*,/openapi.json',
  },
  trustedHops: {
    name: 'TRUSTED_HOPS',
    about: 'Proxies in front of this one that set `X-Forwarded-*`; with 0 what clients say there is dropped.',
    ...integer(0, 10),
    fallback: '0',
  },
  maxBodyBytes: {
    name: 'MAX_BODY_BYTES',
    about: 'Largest body; more is refused with 413. Pods of ours take no more than the default.',
    ...integer(1, 1_000_000_000),
    fallback: '262144',
  },
  bufferedBodyBytes: {
    name: 'BUFFERED_BODY_BYTES',
    about: 'A larger body is passed through as it comes, and its request cannot be given to a second pod.',
    ...integer(0, 100_000_000),
    fallback: '262144',
  },
  maxBufferedBytes: {
    name: 'MAX_BUFFERED_BYTES',
    about: 'Bytes of all bodies that are kept at once; a request beyond it is refused with 429.',
    ...integer(1_000, 100_000_000_000),
    fallback: '134217728',
  },
  maxConnections: {
    name: 'MAX_CONNECTIONS',
    about: 'Connections of clients at once; more are closed.',
    ...integer(1, 1_000_000),
    fallback: '16384',
  },
  apiKeysFile: {
    name: 'API_KEYS_FILE',
    about: 'File of hashed API keys (`ragscale keys new`), read again when it changes; without one nobody is asked.',
    ...text('a file'),
  },
  accessLogPercent: {
    name: 'ACCESS_LOG_PERCENT',
    about:
      'Requests that get a line in the log, at most 200 in a second; failures always, at most 100 in a second. What is left out is counted.',
    ...integer(0, 100),
    fallback: '100',
  },
  ...OBJECTIVE_VARIABLES,
  ...SHUTDOWN_VARIABLES,
  ...LOG_VARIABLES,
} as const;

export interface Configuration extends Omit<ValuesOf<typeof VARIABLES>, 'backends'> {
  readonly routes: readonly RouteSpec[];
}

/** Where pods register that have no other route. */
const REGISTERED_ROUTE: RouteSpec = { name: 'default', weight: 1, sources: [] };

function isService(url: string): boolean {
  try {
    return parseSource(url).kind === 'kubernetes';
  } catch {
    return false;
  }
}

/** @throws ConfigurationError naming every bad variable at once */
export function readConfiguration(env: NodeJS.ProcessEnv): Configuration {
  const { backends, ...values } = readEnvironment(VARIABLES, env);
  const problems = problemsOfDeadlines(values);
  if (values.port === values.adminPort && values.port !== 0) {
    problems.push(`PORT=${values.port}: must differ from ADMIN_PORT, which no client may reach`);
  }
  let routes: readonly RouteSpec[] = [REGISTERED_ROUTE];
  try {
    if (backends !== undefined) routes = parseBackends(backends);
    else if (values.registration === 'off') {
      problems.push(
        'BACKENDS is not set: write where the pods are, such as http://localhost:8000,http://localhost:8001',
      );
    }
  } catch (error) {
    problems.push(`BACKENDS: ${(error as Error).message}`);
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return { ...values, routes };
}
