/** What an autoscaler of a cluster can be told through its environment. */
import { LOG_VARIABLES } from '@ragscale/service/common-variables';
import {
  duration,
  integer,
  oneOf,
  readEnvironment,
  text,
  type ValuesOf,
  type Variable,
} from '@ragscale/service/environment';
import { z } from 'zod';
import type { Namespaces } from './kubernetes/namespaced-watch.ts';

/** RFC 1123, as Kubernetes has it for the names of most objects. */
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const namespaces: Pick<Variable<Namespaces>, 'schema' | 'allowed'> = {
  schema: z
    .string()
    .transform((list) => (list === '*' ? ('all' as const) : list.split(',').map((name) => name.trim())))
    .pipe(z.union([z.literal('all'), z.array(z.string().regex(NAMESPACE))]))
    .transform((value): Namespaces => (value === 'all' ? value : [...new Set(value)])),
  allowed: 'names of namespaces with commas between them, or *',
};

export const VARIABLES = {
  port: {
    name: 'PORT',
    about: 'Port for probes and metrics; 0 takes a free one.',
    ...integer(0, 65_535),
    fallback: '9100',
  },
  host: {
    name: 'HOST',
    about: 'Address that the port is opened at.',
    ...text('an address of this machine'),
    fallback: '0.0.0.0',
  },
  namespaces: {
    name: 'NAMESPACES',
    about: 'Whose LatencyAutoscalers are looked after; `*` for those of all, which takes a ClusterRole.',
    ...namespaces,
    fallbackText: 'the namespace that it runs in',
  },
  prometheusUrl: {
    name: 'PROMETHEUS_URL',
    about: 'Where Prometheus is, or whatever answers its queries; a path before `/api/v1` may be part of it.',
    schema: z.string().refine(isHttpUrl),
    allowed: 'a URL such as http://prometheus.monitoring:9090',
    fallback: 'http://localhost:9090',
  },
  prometheusTokenFile: {
    name: 'PROMETHEUS_TOKEN_FILE',
    about: 'File whose content is sent to it as bearer token, read again for every round.',
    ...text('a file'),
  },
  prometheusCaFile: {
    name: 'PROMETHEUS_CA_FILE',
    about: 'File of certificates in PEM that are trusted in place of the usual ones, read again for every round.',
    ...text('a file'),
  },
  prometheusTimeoutSeconds: {
    name: 'PROMETHEUS_TIMEOUT',
    about:
      'A query that is not answered by then has failed, and nothing is scaled down without what it would have said.',
    ...duration(0.1, 60),
    fallback: '3s',
  },
  periodSeconds: {
    name: 'PERIOD',
    about: 'Between two decisions about a target.',
    ...duration(1, 600),
    fallback: '5s',
  },
  leaderElection: {
    name: 'LEADER_ELECTION',
    about: 'Whether several may run, of which one decides; `off` only where there is never another.',
    ...oneOf(['on', 'off']),
    fallback: 'on',
  },
  leaseName: {
    name: 'LEASE_NAME',
    about: 'Lease by which they agree; autoscalers of different namespaces have different ones.',
    schema: z.string().regex(NAME),
    allowed: 'the name of an object',
    fallback: 'ragscale-autoscaler',
  },
  leaseNamespace: {
    name: 'LEASE_NAMESPACE',
    about: 'Namespace of the Lease.',
    schema: z.string().regex(NAMESPACE),
    allowed: 'the name of a namespace',
    fallbackText: 'the namespace that it runs in',
  },
  podName: {
    name: 'POD_NAME',
    about: 'Name of this process in the Lease and in Events.',
    ...text('the name of the pod'),
    fallbackText: 'the name of the host, which in a pod is its name',
  },
  ...LOG_VARIABLES,
} as const;

export type Configuration = ValuesOf<typeof VARIABLES>;

function isHttpUrl(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** @throws ConfigurationError naming every bad variable at once */
export function readConfiguration(env: NodeJS.ProcessEnv): Configuration {
  return readEnvironment(VARIABLES, env);
}
