/** `ragscale models pull`: how does a model of the hub come onto this computer? */
import { catalogueEntry } from '@ragscale/model-builder/catalogue';
import { HubError } from '@ragscale/model-builder/hub/hub-error';
import { pullModel } from '@ragscale/model-builder/hub/pull';
import { hubSettings } from '@ragscale/model-builder/hub/settings';
import { Command } from 'commander';
import { megabytes, printJson } from './output.ts';
import { transferProgress } from './transfer-progress.ts';

export function pullCommand(): Command {
  return new Command('pull')
    .description("fetch a model's checkpoint from the hub into its cache, or go on where an earlier pull stopped")
    .argument(
      '<name[@revision]>',
      'such as facebook/opt-125m; without a revision: the pinned one of a known model, main of others',
    )
    .option('--offline', 'ask nothing of the hub: take what is in the cache, or fail')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nHF_ENDPOINT, HF_TOKEN, HF_HOME and the other variables of the hub are read: docs/models.md.',
    )
    .action(async (model: string, { offline, json }: { offline?: true; json?: true }) => {
      if (catalogueEntry(model)?.embedded !== undefined && !model.includes('/')) {
        throw new HubError('not-found', `${model} is not on the hub: it ships with this repository`);
      }
      const settings = hubSettings();
      const progress = transferProgress();
      const started = performance.now();
      const pulled = await pullModel({
        model,
        settings: offline ? { ...settings, offline: true } : settings,
        onProgress: progress.update,
      }).finally(progress.end);
      const seconds = Number(((performance.now() - started) / 1000).toFixed(2));
      const bytes = pulled.files.reduce((sum, file) => sum + file.bytes, 0);
      const fetchedBytes = pulled.files.reduce((sum, file) => sum + file.fetchedBytes, 0);
      if (json) return printJson({ ...pulled, bytes, fetchedBytes, seconds });
      const how = fetchedBytes === 0 ? 'all of it was here' : `${megabytes(fetchedBytes)} fetched in ${seconds} s`;
      process.stdout.write(
        `${pulled.name}@${pulled.commit.slice(0, 7)}: ${megabytes(bytes)} in ${pulled.folder} (${how})\n`,
      );
    });
}
