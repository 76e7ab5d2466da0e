/** The process of an autoscaler of a cluster: reads its environment, runs the autoscaler, ends on a signal. */
import type { KubeConfig } from '@kubernetes/client-node';
import { loadKubeConfig } from '@ragscale/kubernetes/credentials';
import { ConfigurationError } from '@ragscale/service/environment';
import { createLogger } from '@ragscale/service/logging';
import { onTermination } from '@ragscale/service/shutdown';
import { explainListening } from '@ragscale/service/start-failures';
import { Autoscaler } from './autoscaler.ts';
import { type Configuration, readConfiguration } from './configuration.ts';

async function run(configuration: Configuration, config: KubeConfig): Promise<void> {
  const { logLevel: level, logFormat: format } = configuration;
  const logger = createLogger({ level, format });
  let ending = false;
  try {
    const autoscaler = new Autoscaler({ configuration, config, logger });
    onTermination(
      async (signal) => {
        ending = true;
        logger.info({ signal }, 'shutting down');
        await autoscaler.shutDown();
        logger.info('bye');
        process.exit(0);
      },
      () => process.exit(1),
    );
    const port = await autoscaler.listen();
    logger.info({ port, apiServer: config.getCurrentCluster()?.server }, 'listening');
    await autoscaler.start();
    if (!ending) logger.info('ready');
  } catch (error) {
    // Told to end while it started: what was interrupted is no failure.
    if (ending) return;
    const message = explainListening(error, 'PORT', 'HOST');
    if (message === undefined) logger.fatal({ err: error }, 'the autoscaler failed');
    exitWith(message);
  }
}

function exitWith(message: string | undefined): never {
  if (message !== undefined) process.stderr.write(`${message}\n`);
  process.exit(1);
}

function explained(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message;
  // What the reader of the kubeconfig says is for people as well.
  return `Kubernetes: ${error instanceof Error ? error.message : String(error)}`;
}

let configuration: Configuration;
let config: KubeConfig;
try {
  configuration = readConfiguration(process.env);
  config = loadKubeConfig();
} catch (error) {
  exitWith(explained(error));
}
await run(configuration, config);
