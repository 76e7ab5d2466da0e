/** The process of a proxy: reads its environment, runs a proxy, ends on a signal. */
import { ConfigurationError } from '@ragscale/service/environment';
import { createLogger, createRequestLogger } from '@ragscale/service/logging';
import { onTermination } from '@ragscale/service/shutdown';
import { explainListening } from '@ragscale/service/start-failures';
import { openTracing, type Tracing } from '@ragscale/service/tracing';
import type { Logger } from 'pino';
import { ApiKeyFileError } from './api-key-file.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
import { RagProxy } from './proxy.ts';

/** Of the workspaces, which are released together. */
const VERSION = '0.1.0';

async function run(configuration: Configuration): Promise<void> {
  const { logLevel: level, logFormat: format } = configuration;
  const logger = createLogger({ level, format });
  const requestLogger = createRequestLogger({ level, format });
  let ending = false;
  try {
    const proxy = new RagProxy({ configuration, logger, requestLogger, tracing: await openTraces(logger) });
    onTermination(
      async (signal) => {
        ending = true;
        logger.info({ signal }, 'shutting down');
        const aborted = await proxy.shutDown();
        logger.info({ aborted }, 'bye');
        process.exit(0);
      },
      () => process.exit(1),
    );
    const { port, adminPort } = await proxy.listen();
    logger.info({ port, adminPort, url: `http://localhost:${port}` }, 'listening');
    await proxy.start();
    logger.info({ url: `http://localhost:${port}` }, 'ready');
  } catch (error) {
    // Told to end while it started: what was interrupted is no failure.
    if (ending) return;
    const message = explanation(error);
    if (message === undefined) logger.fatal({ err: error }, 'the proxy failed');
    exitWith(message);
  }
}

async function openTraces(logger: Logger): Promise<Tracing | undefined> {
  const onError = (reason: string) => logger.warn({ reason }, 'traces are lost');
  return openTracing(process.env, { serviceName: 'ragscale-proxy', serviceVersion: VERSION, onError });
}

function explanation(error: unknown): string | undefined {
  if (error instanceof ConfigurationError || error instanceof ApiKeyFileError) return error.message;
  return explainListening(error, 'PORT or ADMIN_PORT', 'HOST or ADMIN_HOST');
}

function exitWith(message: string | undefined): never {
  if (message !== undefined) process.stderr.write(`${message}\n`);
  process.exit(1);
}

let configuration: Configuration;
try {
  configuration = readConfiguration(process.env);
} catch (error) {
  exitWith(explanation(error) ?? String(error));
}
await run(configuration);
