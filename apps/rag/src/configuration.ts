/** What a pod can be told through its environment. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import {
  ConfigurationError,
  duration,
  integer,
  oneOf,
  readEnvironment,
  text,
  type ValuesOf,
} from '@ragscale/service/environment';
import { LOG_FORMATS, LOG_LEVELS } from '@ragscale/service/logging';
import { z } from 'zod';
import { modelFolder } from './model-folders.ts';

/** Threads beyond this gain little for models that fit a CPU. */
const MAX_DEFAULT_THREADS = 8;

const existingPath = {
  schema: z.string().refine((source) => existsSync(source)),
  allowed: 'a file or a folder that exists',
};

export const VARIABLES = {
  port: {
    name: 'PORT',
    about: 'Port of the HTTP server; 0 takes a free one.',
    ...integer(0, 65_535),
    fallback: '8000',
  },
  host: {
    name: 'HOST',
    about: 'Address the server listens on.',
    ...text('an address of this machine'),
    fallback: '0.0.0.0',
  },
  variant: {
    name: 'VARIANT',
    about: 'How questions are served: `baseline` takes one at a time.',
    ...oneOf(['baseline']),
    fallback: 'baseline',
  },
  embedder: {
    name: 'RAG_EMBEDDER',
    about: 'Model that embeds questions and passages.',
    ...modelFolder('embedder'),
    fallback: 'embedded',
  },
  generator: {
    name: 'RAG_GENERATOR',
    about: 'Model that writes the answer.',
    ...modelFolder('generator'),
    fallback: 'embedded',
  },
  precision: {
    name: 'RAG_PRECISION',
    about: 'Precision of the weights; `auto` is the one of the model folder.',
    ...oneOf(['auto']),
    fallback: 'auto',
  },
  device: { name: 'RAG_DEVICE', about: 'Where the models run.', ...oneOf(['cpu', 'auto']), fallback: 'auto' },
  documents: {
    name: 'DOCUMENTS',
    about:
      'What answers are drawn from: .txt, .md, or .jsonl with `{"id", "title", "text"}` per line; `text` is required.',
    ...existingPath,
    fallbackText: 'three sentences about animals',
  },
  passageTokens: {
    name: 'PASSAGE_TOKENS',
    about: 'Tokens of a passage at most, as the embedder counts.',
    ...integer(16, 8_192),
    fallback: '96',
  },
  context: {
    name: 'CONTEXT',
    about: 'Tokens of prompt and answer together.',
    ...integer(128, 1_048_576),
    fallbackText: "the generator's maximum",
  },
  slots: {
    name: 'SLOTS',
    about: 'Questions that are answered at once; the baseline answers one.',
    ...integer(1, 1),
    fallback: '1',
  },
  threads: {
    name: 'THREADS',
    about: 'Threads of ONNX Runtime.',
    ...integer(1, 256),
    fallback: () => String(Math.min(availableParallelism(), MAX_DEFAULT_THREADS)),
    fallbackText: `available CPUs, at most ${MAX_DEFAULT_THREADS}`,
  },
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
  maxConnections: {
    name: 'MAX_CONNECTIONS',
    about: 'Connections at once; more are closed.',
    ...integer(1, 1_000_000),
    fallback: '4096',
  },
  objectiveSeconds: {
    name: 'OBJECTIVE',
    about: 'Latency that answers are held to; a bound of every duration histogram lies exactly on it.',
    ...duration(0.001, 600),
    fallback: '2s',
  },
  logLevel: { name: 'LOG_LEVEL', about: 'Least severe level that is logged.', ...oneOf(LOG_LEVELS), fallback: 'info' },
  logFormat: {
    name: 'LOG_FORMAT',
    about: '`auto`: readable on a terminal, JSON elsewhere.',
    ...oneOf(LOG_FORMATS),
    fallback: 'auto',
  },
} as const;

export type Configuration = ValuesOf<typeof VARIABLES>;

/** @throws ConfigurationError naming every bad variable at once */
export function readConfiguration(env: NodeJS.ProcessEnv): Configuration {
  const configuration = readEnvironment(VARIABLES, env);
  const { minRequestTimeoutMs: min, requestTimeoutMs: given, maxRequestTimeoutMs: max } = configuration;
  if (!(min <= given && given <= max)) {
    throw new ConfigurationError([
      `REQUEST_TIMEOUT_MS=${given}: must lie between MIN_REQUEST_TIMEOUT_MS=${min} and MAX_REQUEST_TIMEOUT_MS=${max}`,
    ]);
  }
  return configuration;
}
