/** From the models that a configuration chooses to what the engine is told: those that are named are made ready first. */
import type { Logger } from 'pino';
import type { Configuration } from '../configuration.ts';
import { elsewhere, type GeneratorSource, inPod } from '../generator/generator-source.ts';
import { prepareModels } from './preparation.ts';
import { foldersThere, type ModelFolders, wantedBuilds } from './wanted-models.ts';

export interface OpenModelsParts {
  readonly configuration: Configuration;
  readonly logger: Logger;
}

export interface OpenedModels {
  /** Its folder. */
  readonly embedder: string;
  readonly generator: GeneratorSource;
}

/** @throws ModelsError, and the signal's reason when it aborts */
export async function openModels(
  { configuration, logger }: OpenModelsParts,
  signal: AbortSignal,
): Promise<OpenedModels> {
  const { generator } = configuration;
  const folders = await foldersOf(configuration, logger, signal);
  return {
    embedder: present(folders.embedder),
    generator:
      generator.kind === 'elsewhere'
        ? elsewhere(generator, configuration, logger)
        : inPod(present(folders.generator), configuration),
  };
}

async function foldersOf(configuration: Configuration, logger: Logger, signal: AbortSignal): Promise<ModelFolders> {
  if (wantedBuilds(configuration).length === 0) return foldersThere(configuration);
  return prepareModels(process.env, signal, (line) => {
    const { msg, level: _level, time: _time, ...fields } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    logger.info(fields, String(msg));
  });
}

function present(folder: string | undefined): string {
  if (folder === undefined) throw new Error('a model that was made ready has no folder');
  return folder;
}
