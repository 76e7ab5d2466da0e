/** Which models of a configuration must be pulled and built before it can be served, and which folders are they then? */
import { embeddedFolder } from '@ragscale/model-builder/catalogue';
import type { Configuration } from '../configuration.ts';
import { builtFolder, type ModelBuild, precisionOf } from './built-models.ts';
import type { ModelChoice, ModelRole } from './model-choice.ts';

export type ModelsConfiguration = Pick<Configuration, 'embedder' | 'generator' | 'precision' | 'device' | 'cache'>;

/** By role; a generator elsewhere has none. */
export type ModelFolders = { readonly [Role in ModelRole]?: string };

/** What is there: folders that were named, and models that were built. */
export function foldersThere(configuration: ModelsConfiguration): ModelFolders {
  return {
    ...withFolder('embedder', configuration.embedder, configuration),
    ...withFolder('generator', configuration.generator, configuration),
  };
}

/** What is to be built, by role. */
export function wantedBuilds(configuration: ModelsConfiguration): readonly (readonly [ModelRole, ModelBuild])[] {
  const there = foldersThere(configuration);
  return (['embedder', 'generator'] as const).flatMap((role) => {
    const choice = configuration[role];
    return choice.kind === 'named' && there[role] === undefined
      ? [[role, buildOf(choice, configuration)] as const]
      : [];
  });
}

function withFolder(
  role: ModelRole,
  choice: Configuration['generator'],
  configuration: ModelsConfiguration,
): ModelFolders {
  const folder = choice.kind === 'elsewhere' ? undefined : folderThere(choice, configuration);
  return folder === undefined ? {} : { [role]: folder };
}

function folderThere(choice: ModelChoice, configuration: ModelsConfiguration): string | undefined {
  if (choice.kind === 'folder') return choice.folder;
  // What ships with the repository is of the commit and in the precision that would be built.
  const isAsShipped = choice.revision === undefined && configuration.precision === 'auto';
  return (isAsShipped ? embeddedFolder(choice.entry) : undefined) ?? builtFolder(buildOf(choice, configuration));
}

function buildOf(choice: ModelChoice & { kind: 'named' }, configuration: ModelsConfiguration): ModelBuild {
  const { entry, revision } = choice;
  const { precision, device, cache } = configuration;
  return {
    entry,
    precision: precisionOf(precision, device),
    cache,
    ...(revision === undefined ? {} : { revision }),
  };
}
