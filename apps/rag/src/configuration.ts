/** What a pod can be told through its environment. */
import { existsSync, statSync } from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DEVICE_CHOICES } from '@ragscale/inference/device';
import {
  DEADLINE_VARIABLES,
  LOG_VARIABLES,
  OBJECTIVE_VARIABLES,
  problemsOfDeadlines,
  SHUTDOWN_VARIABLES,
} from '@ragscale/service/common-variables';
import type { DeadlineLimits } from '@ragscale/service/deadline';
import {
  ConfigurationError,
  duration,
  integer,
  oneOf,
  readEnvironment,
  text,
  type ValuesOf,
} from '@ragscale/service/environment';
import { z } from 'zod';
import { AUTO_PRECISION, BUILT_PRECISIONS } from './models/built-models.ts';
import { generatorChoice, modelChoice } from './models/model-choice.ts';

/** Threads beyond this gain little for models that fit a CPU. */
const MAX_DEFAULT_THREADS = 8;

/** Of `SLOTS`, by variant. */
const DEFAULT_SLOTS = { baseline: 1, batched: 16 } as const;

/** Ends what is said of a variable without effect in the baseline. */
const BATCHED_ONLY = ' Not in the baseline.';

const existingPath = {
  schema: z.string().refine((source) => existsSync(source)),
  allowed: 'a file or a folder that exists',
};

const existingFile = {
  schema: z.string().refine((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true),
  allowed: 'a file that exists',
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
    about: 'How questions are served: `baseline` takes one at a time, `batched` as many as there are slots.',
    ...oneOf(['baseline', 'batched']),
    fallback: 'batched',
  },
  embedder: {
    name: 'RAG_EMBEDDER',
    about: 'Model that embeds questions and passages.',
    ...modelChoice('embedder'),
    fallback: 'embedded',
  },
  generator: {
    name: 'RAG_GENERATOR',
    about: 'Model that writes the answer, or the server that does.',
    ...generatorChoice(),
    fallback: 'embedded',
  },
  generatorModel: {
    name: 'RAG_GENERATOR_MODEL',
    about: 'Model that a server elsewhere is asked for, where its address does not name it.',
    ...text('a name that the server lists'),
    fallbackText: 'the one that it lists',
  },
  generatorApiKey: {
    name: 'RAG_GENERATOR_API_KEY',
    about: 'The key that a server elsewhere wants, where it comes from a Secret as a variable.',
    ...text('a key'),
    fallbackText: 'no key',
  },
  generatorApiKeyFile: {
    name: 'RAG_GENERATOR_API_KEY_FILE',
    about: 'File with the key; it goes before `RAG_GENERATOR_API_KEY`.',
    ...existingFile,
    fallbackText: 'no key',
  },
  generatorConnectMs: {
    name: 'RAG_GENERATOR_CONNECT_MS',
    about: 'How long a connection to a server elsewhere may take, in milliseconds.',
    ...integer(1, 600_000),
    fallback: '2000',
  },
  generatorFirstTokenMs: {
    name: 'RAG_GENERATOR_FIRST_TOKEN_MS',
    about: 'How long a server elsewhere may take until the first token of an answer, in milliseconds.',
    ...integer(1, 3_600_000),
    fallback: '30000',
  },
  generatorNextTokenMs: {
    name: 'RAG_GENERATOR_NEXT_TOKEN_MS',
    about: 'How long it may take from one token to the next, in milliseconds.',
    ...integer(1, 3_600_000),
    fallback: '10000',
  },
  precision: {
    name: 'RAG_PRECISION',
    about: `Precision in which a model that is named is built; a folder has its own. \`auto\`: ${AUTO_PRECISION.cpu}, or ${AUTO_PRECISION.cuda} where \`RAG_DEVICE\` is \`cuda\`.`,
    ...oneOf(['auto', ...BUILT_PRECISIONS]),
    fallback: 'auto',
  },
  cache: {
    name: 'RAGSCALE_CACHE',
    about:
      'Folder in which models that are named are built; what is pulled for them is in the cache of the hub (docs/models.md).',
    ...text('a folder that can be written'),
    fallback: () => path.join(homedir(), '.cache', 'ragscale'),
    fallbackText: '`~/.cache/ragscale`',
  },
  device: {
    name: 'RAG_DEVICE',
    about: 'Where the models run. `cuda` ends the pod where CUDA does not work, `auto` goes on with the CPU there.',
    ...oneOf(DEVICE_CHOICES),
    fallback: 'auto',
  },
  documents: {
    name: 'DOCUMENTS',
    about:
      'What answers are drawn from: .txt, .md, or .jsonl with `{"id", "title", "text"}` per line; `text` is required.',
    ...existingPath,
    fallbackText: 'three sentences about animals',
  },
  documentsCheckMs: {
    name: 'DOCUMENTS_CHECK_MS',
    about:
      'How often `DOCUMENTS` is looked at for changes, in milliseconds; what has changed is indexed while questions are answered. 0: never.',
    ...integer(0, 3_600_000),
    fallback: '10000',
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
    ...integer(1, 256),
    fallbackText: `\`${DEFAULT_SLOTS.batched}\`; the baseline \`${DEFAULT_SLOTS.baseline}\``,
  },
  maxBatchSize: {
    name: 'MAX_BATCH_SIZE',
    about: `Texts that the embedder takes at once.${BATCHED_ONLY}`,
    ...integer(1, 256),
    fallback: '32',
  },
  maxWaitingSeconds: {
    name: 'MAX_WAITING_TIME',
    about: `How long the embedder waits for more texts; with 0 it takes those that came while it was busy.${BATCHED_ONLY}`,
    ...secondsOrDuration(0, 10),
    fallback: '0',
  },
  prefillTokens: {
    name: 'PREFILL_TOKENS',
    about: `Tokens of prompts that are computed between two tokens of the running answers.${BATCHED_ONLY}`,
    ...integer(16, 8_192),
    fallback: '256',
  },
  prefixSharing: {
    name: 'PREFIX_SHARING',
    about: `Whether a prompt that begins as another does copies that part instead of computing it.${BATCHED_ONLY}`,
    ...oneOf(['on', 'off']),
    fallback: 'on',
  },
  embeddingCacheMb: {
    name: 'EMBEDDING_CACHE_MB',
    about: `Megabytes for texts and their vectors, so that none is embedded again soon; 0 keeps none.${BATCHED_ONLY}`,
    ...integer(0, 65_536),
    fallback: '16',
  },
  shareEmbeddings: {
    name: 'SHARE_EMBEDDINGS',
    about: `Whether a text that several requests bring at the same moment is embedded once.${BATCHED_ONLY}`,
    ...oneOf(['on', 'off']),
    fallback: 'on',
  },
  maxQueuedRequests: {
    name: 'MAX_QUEUED_REQUESTS',
    about:
      'Requests that may wait; more are refused with 429. Vectors have a line of their own in the batched variant.',
    ...integer(0, 100_000),
    fallback: '256',
  },
  maxQueuedTokens: {
    name: 'MAX_QUEUED_TOKENS',
    about:
      'Tokens of those that wait, as estimated from characters, passages and `max_tokens`; more are refused with 429.',
    ...integer(0, 1_000_000_000),
    fallback: '262144',
  },
  refuseBeyond: {
    name: 'REFUSE_BEYOND',
    about: `When a request that would have to wait is refused with 429 at once: if no answer is expected within \`OBJECTIVE\`, or only if none is expected by the request's deadline.${BATCHED_ONLY}`,
    ...oneOf(['objective', 'deadline']),
    fallback: 'objective',
  },
  threads: {
    name: 'THREADS',
    about: 'Threads of ONNX Runtime.',
    ...integer(1, 256),
    fallback: () => String(Math.min(availableParallelism(), MAX_DEFAULT_THREADS)),
    fallbackText: `available CPUs, at most ${MAX_DEFAULT_THREADS}`,
  },
  ...DEADLINE_VARIABLES,
  ...SHUTDOWN_VARIABLES,
  maxConnections: {
    name: 'MAX_CONNECTIONS',
    about: 'Connections at once; more are closed.',
    ...integer(1, 1_000_000),
    fallback: '4096',
  },
  ...OBJECTIVE_VARIABLES,
  ...LOG_VARIABLES,
} as const;

export type Configuration = Omit<ValuesOf<typeof VARIABLES>, 'slots'> & { readonly slots: number };

/** @throws ConfigurationError naming every bad variable at once */
export function readConfiguration(env: NodeJS.ProcessEnv): Configuration {
  const configuration = readEnvironment(VARIABLES, env);
  const problems = [...problemsOfDeadlines(configuration), ...problemsOfSlots(configuration)];
  if (problems.length > 0) throw new ConfigurationError(problems);
  const { slots = DEFAULT_SLOTS[configuration.variant] } = configuration;
  return { ...configuration, slots };
}

/** How long a request may take, for `deadlineMs`. */
export function deadlineLimits(configuration: Configuration): DeadlineLimits {
  const { requestTimeoutMs, minRequestTimeoutMs, maxRequestTimeoutMs } = configuration;
  return { defaultMs: requestTimeoutMs, minMs: minRequestTimeoutMs, maxMs: maxRequestTimeoutMs };
}

/**
 * The environment with what the command line says in its place: `--variant` is `VARIANT`, so that a script can name a variant on every
 * system.
 * @throws ConfigurationError for any other argument
 */
export function withArguments(argv: readonly string[], env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  try {
    const { variant } = parseArgs({ args: [...argv], options: { variant: { type: 'string' } } }).values;
    return variant === undefined ? env : { ...env, [VARIABLES.variant.name]: variant };
  } catch (error) {
    throw new ConfigurationError([(error as Error).message]);
  }
}

function problemsOfSlots({ variant, slots }: ValuesOf<typeof VARIABLES>): string[] {
  if (variant !== 'baseline' || slots === undefined || slots === DEFAULT_SLOTS.baseline) return [];
  return [`SLOTS=${slots}: VARIANT=baseline answers one question at a time; unset SLOTS, or set VARIANT=batched`];
}

/** A duration; a number without a unit is of seconds, as deployments of before have it. */
function secondsOrDuration(minSeconds: number, maxSeconds: number) {
  const { schema, allowed } = duration(minSeconds, maxSeconds);
  return {
    schema: z
      .string()
      .transform((given) => (/^[0-9.]+$/.test(given) ? `${given}s` : given))
      .pipe(schema),
    allowed: `${allowed}; a number alone is seconds`,
  };
}
