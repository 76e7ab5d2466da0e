/** Where is a model of the catalogue that was built, and in which precision? */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { CatalogueEntry } from '@ragscale/model-builder/catalogue';
import { isCommit } from '@ragscale/model-builder/hub/model-name';
import { PINNED_REVISIONS } from '@ragscale/model-builder/hub/pinned-revisions';

export const BUILT_PRECISIONS = ['fp32', 'w8a8', 'w8', 'w4'] as const;
export type BuiltPrecision = (typeof BUILT_PRECISIONS)[number];

/** The products of int8 are made for CPUs. */
export const AUTO_PRECISION = { cpu: 'w8a8', cuda: 'fp32' } as const satisfies Record<string, BuiltPrecision>;

/** What a model is built as, and into which cache. */
export interface ModelBuild {
  readonly entry: CatalogueEntry;
  /** A branch, a tag or a commit; without one the commit that is pinned. */
  readonly revision?: string;
  readonly precision: BuiltPrecision;
  readonly cache: string;
}

export function precisionOf(given: 'auto' | BuiltPrecision, device: 'cpu' | 'cuda' | 'auto'): BuiltPrecision {
  if (given !== 'auto') return given;
  return device === 'cuda' ? AUTO_PRECISION.cuda : AUTO_PRECISION.cpu;
}

/** A commit never changes, and neither does what was built of it. */
export function folderOf({ entry, precision, cache }: ModelBuild, commit: string): string {
  return path.join(cache, 'models', entry.name.replace('/', '--'), commit, precision);
}

/** The folder, when it is there; undefined also where a branch or a tag was named, for the hub knows which commit that is. */
export function builtFolder(build: ModelBuild): string | undefined {
  const revision = build.revision ?? PINNED_REVISIONS[build.entry.name];
  if (revision === undefined || !isCommit(revision)) return undefined;
  const folder = folderOf(build, revision);
  return isBuilt(folder) ? folder : undefined;
}

/** A build is renamed to its place when it is whole. */
export function isBuilt(folder: string): boolean {
  return existsSync(path.join(folder, 'manifest.json'));
}
