/** The process that pulls and builds the models that a pod's environment names: run by the pod, by the local system, or before a pod starts. */
import { BuildError } from '@ragscale/model-builder/errors';
import { HubError } from '@ragscale/model-builder/hub/hub-error';
import { hubSettings } from '@ragscale/model-builder/hub/settings';
import { ConfigurationError } from '@ragscale/service/environment';
import { createLogger } from '@ragscale/service/logging';
import type { Logger } from 'pino';
import { readConfiguration, withArguments } from './configuration.ts';
import { type Preparation, prepareModel } from './models/prepare-model.ts';
import { foldersThere, wantedBuilds } from './models/wanted-models.ts';

/** Between two lines about the same stage, in milliseconds. */
const PROGRESS_MS = 2_000;

async function run(): Promise<void> {
  const configuration = readConfiguration(withArguments(process.argv.slice(2), process.env));
  const logger = createLogger({ level: configuration.logLevel, format: configuration.logFormat });
  const folders: Record<string, string> = { ...foldersThere(configuration) };
  // One after the other: a build takes every core and some memory.
  for (const [role, build] of wantedBuilds(configuration)) {
    const { entry, precision } = build;
    const startedAt = performance.now();
    const onProgress = reporter(entry.name, logger);
    folders[role] = await prepareModel(build, { settings: hubSettings(), onProgress });
    const seconds = Number(((performance.now() - startedAt) / 1_000).toFixed(1));
    logger.info({ model: entry.name, precision, folder: folders[role], seconds }, 'the model is there');
  }
  await tellStarter(folders);
}

/** What is sent is lost when the process ends before it has left. */
async function tellStarter(folders: Readonly<Record<string, string>>): Promise<void> {
  if (process.send === undefined) return;
  await new Promise<void>((resolve) => void process.send?.(folders, undefined, {}, () => resolve()));
}

/** A line when a stage begins, and every few seconds while it lasts. */
function reporter(model: string, logger: Logger): (preparation: Preparation) => void {
  let last: { readonly stage: string; readonly at: number } | undefined;
  return ({ stage, ...progress }) => {
    const now = performance.now();
    if (last?.stage === stage && now - last.at < PROGRESS_MS) return;
    last = { stage, at: now };
    logger.info(
      { model, ...progress },
      stage === 'waiting' ? 'another process builds the model' : `${stage} the model`,
    );
  };
}

/** Errors whose message tells the operator all there is to do. */
const EXPLAINED = [ConfigurationError, HubError, BuildError] as const;

// Whoever started it has gone.
process.on('disconnect', () => process.exit(1));
try {
  await run();
  process.exit(0);
} catch (error) {
  const isExplained = EXPLAINED.some((known) => error instanceof known);
  process.stderr.write(`${isExplained ? (error as Error).message : (error as Error).stack}\n`);
  process.exit(1);
}
