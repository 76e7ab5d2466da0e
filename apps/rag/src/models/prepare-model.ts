/** How does a model of the catalogue become a folder to serve? Pulled from the hub, built once, however many want it at the same time. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buildModel } from '@ragscale/model-builder/build';
import { withLock } from '@ragscale/model-builder/hub/file-lock';
import { type Pulled, pullModel } from '@ragscale/model-builder/hub/pull';
import type { HubSettings } from '@ragscale/model-builder/hub/settings';
import { builtFolder, folderOf, isBuilt, type ModelBuild } from './built-models.ts';

export type Preparation =
  | { readonly stage: 'pulling' | 'building'; readonly doneBytes: number; readonly totalBytes: number }
  /** Another process builds it. */
  | { readonly stage: 'waiting' };

export interface PrepareOptions {
  readonly settings: HubSettings;
  /** Called often. */
  readonly onProgress: (preparation: Preparation) => void;
  readonly signal?: AbortSignal;
}

/**
 * @returns the folder
 * @throws HubError, BuildError in one line
 */
export async function prepareModel(build: ModelBuild, options: PrepareOptions): Promise<string> {
  const there = builtFolder(build);
  if (there !== undefined) return there;
  const pulled = await pull(build, options);
  const folder = folderOf(build, pulled.commit);
  if (isBuilt(folder)) return folder;
  mkdirSync(path.dirname(folder), { recursive: true });
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    options.onProgress({ stage: 'waiting' });
    await delay(ms, undefined, signal && { signal });
  };
  await withLock(`${folder}.lock`, (alone) => buildOnce(build, pulled, folder, alone, options), {
    sleep,
    signal: options.signal,
  });
  return folder;
}

function pull({ entry, revision }: ModelBuild, { settings, onProgress, signal }: PrepareOptions): Promise<Pulled> {
  const files = new Map<string, { readonly done: number; readonly total: number }>();
  return pullModel({
    model: revision === undefined ? entry.name : `${entry.name}@${revision}`,
    settings,
    onProgress: (file, done, total) => {
      files.set(file, { done, total });
      const sum = (key: 'done' | 'total') => [...files.values()].reduce((bytes, each) => bytes + each[key], 0);
      onProgress({ stage: 'pulling', doneBytes: sum('done'), totalBytes: sum('total') });
    },
    ...(signal && { signal }),
  });
}

async function buildOnce(
  { entry, precision }: ModelBuild,
  pulled: Pulled,
  folder: string,
  alone: boolean,
  { onProgress }: PrepareOptions,
): Promise<void> {
  // Who had the lock before has built it.
  if (isBuilt(folder)) return;
  if (alone) removeLeftovers(folder);
  onProgress({ stage: 'building', doneBytes: 0, totalBytes: 0 });
  try {
    await buildModel({
      checkpoint: pulled.folder,
      out: folder,
      precision,
      provenance: { name: entry.name, licence: entry.licence, source: `${entry.name}@${pulled.commit}` },
      onProgress: (doneBytes, totalBytes) => onProgress({ stage: 'building', doneBytes, totalBytes }),
    });
  } catch (error) {
    // Where there are no locks another process may have been faster: what it has built is the same.
    if (!isBuilt(folder)) throw error;
  }
}

/** Of builds whose process was killed. */
function removeLeftovers(folder: string): void {
  const parent = path.dirname(folder);
  const begun = `${path.basename(folder)}.building-`;
  for (const name of readdirSync(parent))
    if (name.startsWith(begun)) rmSync(path.join(parent, name), { recursive: true, force: true });
}
