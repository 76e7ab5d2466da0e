/** What every server can be told: deadlines, its end, the objective, its log. */
import { duration, integer, oneOf, type ValuesOf } from './environment.ts';
import { LOG_FORMATS, LOG_LEVELS } from './logging.ts';

export const DEADLINE_VARIABLES = {
  requestTimeoutMs: {
    name: 'REQUEST_TIMEOUT_MS',
    about: 'Deadline of a request that carries no `X-Request-Timeout-Ms`, in milliseconds.',
    ...integer(1, 3_600_000),
    fallback: '60000',
  },
  minRequestTimeoutMs: {
    name: 'MIN_REQUEST_TIMEOUT_MS',
    about: 'Lowest deadline a request can ask for; less is raised to it.',
    ...integer(1, 3_600_000),
    fallback: '1',
  },
  maxRequestTimeoutMs: {
    name: 'MAX_REQUEST_TIMEOUT_MS',
    about: 'Highest deadline a request can ask for; more is lowered to it.',
    ...integer(1, 3_600_000),
    fallback: '600000',
  },
} as const;

/** One line for each value of `DEADLINE_VARIABLES` that the others forbid. */
export function problemsOfDeadlines(values: ValuesOf<typeof DEADLINE_VARIABLES>): string[] {
  const { minRequestTimeoutMs: min, requestTimeoutMs: given, maxRequestTimeoutMs: max } = values;
  if (min <= given && given <= max) return [];
  return [
    `REQUEST_TIMEOUT_MS=${given}: must lie between MIN_REQUEST_TIMEOUT_MS=${min} and MAX_REQUEST_TIMEOUT_MS=${max}`,
  ];
}

export const SHUTDOWN_VARIABLES = {
  drainDelayMs: {
    name: 'DRAIN_DELAY_MS',
    about: 'After SIGTERM readiness fails at once; requests are still taken for this long, in milliseconds.',
    ...integer(0, 600_000),
    fallback: '0',
  },
  shutdownTimeoutMs: {
    name: 'SHUTDOWN_TIMEOUT_MS',
    about: 'How long running and waiting requests may take after that, in milliseconds.',
    ...integer(0, 3_600_000),
    fallback: '60000',
  },
} as const;

export const OBJECTIVE_VARIABLES = {
  objectiveSeconds: {
    name: 'OBJECTIVE',
    about: 'Latency that answers are held to; a bound of every duration histogram lies exactly on it.',
    ...duration(0.001, 600),
    fallback: '2s',
  },
} as const;

export const LOG_VARIABLES = {
  logLevel: { name: 'LOG_LEVEL', about: 'Least severe level that is logged.', ...oneOf(LOG_LEVELS), fallback: 'info' },
  logFormat: {
    name: 'LOG_FORMAT',
    about: '`auto`: readable on a terminal, JSON elsewhere.',
    ...oneOf(LOG_FORMATS),
    fallback: 'auto',
  },
} as const;
