/** What can a local system be told through its environment? */
import { availableParallelism } from 'node:os';
import { DEFAULT_POLICY, type ScalingPolicySpec, validatePolicy } from '@ragscale/scaling/policy';
import { LOG_VARIABLES, OBJECTIVE_VARIABLES, SHUTDOWN_VARIABLES } from '@ragscale/service/common-variables';
import {
  ConfigurationError,
  duration,
  integer,
  readEnvironment,
  type ValuesOf,
  type Variable,
} from '@ragscale/service/environment';
import { z } from 'zod';

/** As the system that this one succeeds. */
const DEFAULT_MIN_REPLICAS = 2;
/** Its most, on a small computer; pods that have less than a core each gain nothing. */
const LEAST_DEFAULT_MAX = 3;
const MOST_DEFAULT_MAX = 4;

const percentile: Pick<Variable<number>, 'schema' | 'allowed'> = {
  schema: z
    .string()
    .regex(/^\d{2}(\.\d{1,2})?$/)
    .transform(Number)
    .pipe(z.number().min(50).max(99.99)),
  allowed: 'a number from 50 to 99.99',
};

const windows: Pick<Variable<readonly number[]>, 'schema' | 'allowed'> = {
  schema: z
    .string()
    .transform((list) => list.split(',').map((each) => each.trim()))
    .pipe(z.array(duration(1, 3_600).schema).min(1).max(5)),
  allowed: 'durations from 1 to 3600 seconds with commas between them, ascending, such as 10s,30s,1m',
};

export const VARIABLES = {
  port: {
    name: 'PORT',
    about: 'Port of the proxy, for clients; 0 takes a free one.',
    ...integer(0, 65_535),
    fallback: '9000',
  },
  adminPort: {
    name: 'ADMIN_PORT',
    about: "Port of the proxy's administration and metrics, on this computer alone; 0 takes a free one.",
    ...integer(0, 65_535),
    fallback: '9001',
  },
  podPort: {
    name: 'POD_PORT',
    about:
      'Port of the first pod, on this computer alone; the next ones follow, those that are in use left out. 0 takes free ones.',
    ...integer(0, 65_535),
    fallback: '8000',
  },
  autoscalerPort: {
    name: 'AUTOSCALER_PORT',
    about: "Port of the autoscaler's probes and metrics, on this computer alone; 0 takes a free one.",
    ...integer(0, 65_535),
    fallback: '9100',
  },
  minReplicas: {
    name: 'MIN_REPLICAS',
    about:
      'Pods at least. With 0 the last one goes when nobody has asked for five minutes; the next question waits for a new one.',
    ...integer(0, 64),
    fallback: String(DEFAULT_MIN_REPLICAS),
  },
  maxReplicas: {
    name: 'MAX_REPLICAS',
    about: 'Pods at most.',
    ...integer(1, 64),
    fallbackText: `${MOST_DEFAULT_MAX}; ${LEAST_DEFAULT_MAX} where there are fewer cores`,
  },
  threads: {
    name: 'THREADS',
    about: 'Threads of a pod for its models; the pods share the cores.',
    ...integer(1, 1_024),
    fallbackText: 'the cores divided by `MAX_REPLICAS`, at least 1',
  },
  ...OBJECTIVE_VARIABLES,
  percentile: {
    name: 'PERCENTILE',
    about: 'Percentage of the requests that are to be answered within `OBJECTIVE`.',
    ...percentile,
    fallback: '95',
  },
  periodSeconds: {
    name: 'PERIOD',
    about: 'Between two decisions.',
    ...duration(1, 600),
    fallback: `${DEFAULT_POLICY.periodMs / 1_000}s`,
  },
  windowsSeconds: {
    name: 'WINDOWS',
    about: 'Over which arrivals are counted.',
    ...windows,
    fallback: DEFAULT_POLICY.windowsMs.map((ms) => `${ms / 1_000}s`).join(','),
  },
  scaleDownSeconds: {
    name: 'SCALE_DOWN_WINDOW',
    about: 'A pod goes when it was not needed for this long.',
    ...duration(0, 86_400),
    fallbackText: 'a minute, or as long as a pod takes to start if that is longer',
  },
  ...SHUTDOWN_VARIABLES,
  logLevel: {
    ...LOG_VARIABLES.logLevel,
    about: 'Least severe level that is shown of what the processes log.',
    fallback: 'warn',
  },
  logFormat: LOG_VARIABLES.logFormat,
} as const;

export interface Configuration
  extends Omit<ValuesOf<typeof VARIABLES>, 'maxReplicas' | 'threads' | 'windowsSeconds' | 'scaleDownSeconds'> {
  readonly maxReplicas: number;
  readonly threads: number;
  readonly policy: ScalingPolicySpec;
}

/** Fields of a policy that a variable sets. */
const NAMES: readonly [field: RegExp, name: string][] = [
  [/^maxReplicas must be no less than minReplicas/, 'MAX_REPLICAS must be no less than MIN_REPLICAS'],
  [/^windowsMs\b/, 'WINDOWS'],
];

/** @param cores of this computer @throws ConfigurationError naming every bad variable at once */
export function readConfiguration(env: NodeJS.ProcessEnv, cores = availableParallelism()): Configuration {
  const { windowsSeconds, scaleDownSeconds, ...values } = readEnvironment(VARIABLES, env);
  const usual = Math.min(MOST_DEFAULT_MAX, Math.max(LEAST_DEFAULT_MAX, cores));
  const maxReplicas = values.maxReplicas ?? Math.max(values.minReplicas, usual);
  const policy: ScalingPolicySpec = {
    minReplicas: values.minReplicas,
    maxReplicas,
    objective: {
      metric: 'duration',
      latencyMs: milliseconds(values.objectiveSeconds),
      percentile: values.percentile,
    },
    windowsMs: windowsSeconds.map(milliseconds),
    periodMs: milliseconds(values.periodSeconds),
    ...(scaleDownSeconds === undefined
      ? {}
      : { behavior: { scaleDown: { stabilizationWindowMs: milliseconds(scaleDownSeconds) } } }),
  };
  const problems = [...validatePolicy(policy).map(inOurNames), ...problemsOfPorts(values)];
  if (problems.length > 0) throw new ConfigurationError(problems);
  const threads = values.threads ?? Math.max(1, Math.floor(cores / maxReplicas));
  return { ...values, maxReplicas, threads, policy };
}

function inOurNames(problem: string): string {
  return NAMES.reduce((text, [field, name]) => text.replace(field, name), problem);
}

function problemsOfPorts(values: Pick<Configuration, 'port' | 'adminPort' | 'autoscalerPort'>): string[] {
  const given = [
    ['PORT', values.port],
    ['ADMIN_PORT', values.adminPort],
    ['AUTOSCALER_PORT', values.autoscalerPort],
  ] as const;
  return given.flatMap(([name, port], index) => {
    const other = given.slice(0, index).find(([, before]) => before === port && port !== 0);
    return other === undefined ? [] : [`${name}=${port}: must differ from ${other[0]}`];
  });
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1_000);
}
