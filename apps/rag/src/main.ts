/** The process of a pod: reads its environment, runs a pod, ends on a signal. */
import 'reflect-metadata';
import { startEngine } from '@ragscale/inference/engine';
import { DeviceError, ModelFolderError, RuntimeError } from '@ragscale/inference/errors';
import { DocumentsError } from '@ragscale/retrieval/document-files';
import { ConfigurationError, unknownVariables } from '@ragscale/service/environment';
import { createLogger } from '@ragscale/service/logging';
import { onTermination } from '@ragscale/service/shutdown';
import { explainListening } from '@ragscale/service/start-failures';
import { openTracing, type Tracing } from '@ragscale/service/tracing';
import type { Logger } from 'pino';
import { type Configuration, readConfiguration, VARIABLES, withArguments } from './configuration.ts';
import { GeneratorError } from './generator/elsewhere/connect.ts';
import { ModelsError } from './models/preparation.ts';
import { Pod } from './pod.ts';

/** Of the workspaces, which are released together. */
const VERSION = '0.1.0';

/** Errors whose message tells the operator all there is to do. */
const EXPLAINED = [
  ConfigurationError,
  ModelsError,
  GeneratorError,
  ModelFolderError,
  RuntimeError,
  DocumentsError,
] as const;

async function run(configuration: Configuration): Promise<void> {
  const { logFormat: format } = configuration;
  const logger = createLogger({ level: configuration.logLevel, format });
  const tracing = await openTraces(logger);
  for (const variable of unknownVariables(VARIABLES, process.env, 'RAG_'))
    logger.warn({ variable }, 'not a known variable');
  const pod = new Pod({ configuration, logger, startEngine, tracing });
  let ending = false;
  onTermination(
    async (signal) => {
      ending = true;
      logger.info({ signal }, 'shutting down');
      const aborted = await pod.shutDown();
      logger.info({ aborted }, 'bye');
      process.exit(0);
    },
    () => process.exit(1),
  );
  try {
    const port = await pod.listen();
    const url = `http://localhost:${port}`;
    logger.info({ port, url }, 'listening');
    const { failed } = await pod.start();
    logger.info({ url }, 'ready');
    if (process.stdout.isTTY && format !== 'json') process.stdout.write(welcome(url));
    await failed;
  } catch (error) {
    // Told to end while it started: what was interrupted is no failure.
    if (ending) return;
    const message = explanation(error);
    if (message === undefined) logger.fatal({ err: error }, 'the pod failed');
    exitWith(message);
  }
}

async function openTraces(logger: Logger): Promise<Tracing | undefined> {
  try {
    const onError = (reason: string) => logger.warn({ reason }, 'traces are lost');
    return await openTracing(process.env, { serviceName: 'ragscale-pod', serviceVersion: VERSION, onError });
  } catch (error) {
    exitWith(explanation(error) ?? String(error));
  }
}

function welcome(url: string): string {
  return `
  ragscale answers at ${url}   (${url}/docs explains)

  curl -X POST ${url}/rag -H 'Content-Type: application/json' -d '{"query": "Which animals can hover in the air?"}'

`;
}

function explanation(error: unknown): string | undefined {
  if (error instanceof DeviceError)
    return `RAG_DEVICE=cuda: ${error.message}: run the image rag-cuda on a node with an NVIDIA driver, or set RAG_DEVICE to auto or cpu`;
  if (EXPLAINED.some((known) => error instanceof known)) return (error as Error).message;
  return explainListening(error, 'PORT', 'HOST');
}

function exitWith(message: string | undefined): never {
  if (message !== undefined) process.stderr.write(`${message}\n`);
  process.exit(1);
}

let configuration: Configuration;
try {
  configuration = readConfiguration(withArguments(process.argv.slice(2), process.env));
} catch (error) {
  exitWith(explanation(error) ?? String(error));
}
await run(configuration);
