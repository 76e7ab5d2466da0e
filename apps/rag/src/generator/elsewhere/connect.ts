/** When does a server elsewhere count as there, and which of its models writes the answers? */
import { readFile } from 'node:fs/promises';
import { type Clock, pauseMs } from '@ragscale/service/clock';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Configuration } from '../../configuration.ts';
import type { GeneratorElsewhere } from '../../models/model-choice.ts';
import type { TextGenerator } from '../text-generator.ts';
import { ElsewhereGenerator } from './elsewhere-generator.ts';
import { GeneratorFailure } from './failures.ts';
import { Server } from './server.ts';

/** What the operator has to change before the pod can start; the message is all there is to know. */
export class GeneratorError extends Error {
  override readonly name = 'GeneratorError';
}

export interface ConnectParts {
  readonly choice: GeneratorElsewhere;
  readonly configuration: Pick<
    Configuration,
    | 'slots'
    | 'context'
    | 'generatorModel'
    | 'generatorApiKey'
    | 'generatorApiKeyFile'
    | 'generatorConnectMs'
    | 'generatorFirstTokenMs'
    | 'generatorNextTokenMs'
  >;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Where the server does not say how many tokens its model takes: its own refusal counts. */
const UNKNOWN_CONTEXT = 131_072;
const KEY_REFUSED = /^40[13]\b/;

const modelsSchema = z.object({
  data: z.array(z.object({ id: z.string().min(1), max_model_len: z.int().positive().nullish() })),
});

type Listed = z.output<typeof modelsSchema>['data'];

/**
 * Asks for the models until the server answers; what comes later is for each answer to deal with.
 * @throws GeneratorError, and the signal's reason when it aborts
 */
export async function connect(parts: ConnectParts, signal: AbortSignal): Promise<TextGenerator> {
  const { choice, configuration, logger, clock, random } = parts;
  const server = new Server({
    baseUrl: choice.baseUrl,
    apiKey: await readKey(configuration),
    connectTimeoutMs: configuration.generatorConnectMs,
    firstTokenTimeoutMs: configuration.generatorFirstTokenMs,
    nextTokenTimeoutMs: configuration.generatorNextTokenMs,
  });
  try {
    const listed = await listModels(server, parts, signal);
    const wanted = choice.model ?? configuration.generatorModel;
    const { id: model, max_model_len: limit } = chosenModel(listed, wanted);
    const context = configuration.context ?? limit ?? UNKNOWN_CONTEXT;
    logger.info({ url: choice.baseUrl, endpoint: choice.endpoint, model, context }, 'the generator elsewhere answers');
    const { endpoint } = choice;
    return new ElsewhereGenerator({
      server,
      endpoint,
      model,
      context,
      slots: configuration.slots,
      logger,
      clock,
      random,
    });
  } catch (error) {
    await server.close();
    throw error;
  }
}

async function readKey({
  generatorApiKey: given,
  generatorApiKeyFile: file,
}: ConnectParts['configuration']): Promise<string | undefined> {
  const key = file === undefined ? given : (await readFile(file, 'utf8')).trim();
  // What a header cannot carry would be named in an error of the connection.
  if (key === undefined || /^[\x21-\x7e]+$/.test(key)) return key;
  const name = file === undefined ? 'RAG_GENERATOR_API_KEY' : 'RAG_GENERATOR_API_KEY_FILE';
  throw new GeneratorError(`${name}: there must be one key, of printable ASCII without spaces`);
}

/** @returns undefined where the server answers and has no list */
async function listModels(
  server: Server,
  { choice, clock, random, logger }: ConnectParts,
  signal: AbortSignal,
): Promise<Listed | undefined> {
  for (let failures = 1; ; failures += 1) {
    try {
      const parsed = modelsSchema.safeParse(await server.get('/models', signal));
      return parsed.success ? parsed.data.data : undefined;
    } catch (error) {
      if (!(error instanceof GeneratorFailure)) throw error;
      const { kind, message } = error;
      if (kind === 'refused' && KEY_REFUSED.test(message))
        throw new GeneratorError(
          `${choice.baseUrl} refuses the key, or wants one: RAG_GENERATOR_API_KEY_FILE (${message})`,
        );
      if (kind === 'refused') return undefined;
      logger.warn({ url: choice.baseUrl, kind, reason: message }, 'waiting for the generator elsewhere');
    }
    await clock.sleep(pauseMs(failures, random()), signal);
    signal.throwIfAborted();
  }
}

function chosenModel(listed: Listed | undefined, wanted: string | undefined): Listed[number] {
  if (listed === undefined || listed.length === 0) {
    if (wanted !== undefined) return { id: wanted };
    throw new GeneratorError('the generator elsewhere lists no model: name one in RAG_GENERATOR_MODEL');
  }
  const [only] = listed as [Listed[number], ...Listed];
  if (wanted === undefined && listed.length === 1) return only;
  const found = listed.find(({ id }) => id === wanted);
  if (found !== undefined) return found;
  const names = listed.slice(0, 20).map(({ id }) => id);
  const problem = wanted === undefined ? 'has more than one model' : `has no model ${wanted}`;
  throw new GeneratorError(
    `the generator elsewhere ${problem}: RAG_GENERATOR_MODEL must be one of ${names.join(', ')}`,
  );
}
