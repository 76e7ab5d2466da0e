/** How is a finished folder described: the manifest with its checksums, and the model card? */
import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Manifest, type Precision, sha256 } from '@ragscale/inference/manifest';
import type { Description } from './architectures/architecture.ts';

export interface Provenance {
  readonly name: string;
  readonly licence: string;
  readonly source: string;
}

/** @param files the names of those in `folder` that the engine reads, the graph first */
export async function writeManifest(
  folder: string,
  description: Description,
  provenance: Provenance,
  precision: Precision,
  files: readonly string[],
): Promise<Manifest> {
  const described = await Promise.all(
    files.map(async (name) => {
      const file = path.join(folder, name);
      return [name, { bytes: statSync(file).size, sha256: await sha256(file) }] as const;
    }),
  );
  const { kind, architecture, ...rest } = description;
  const head = { format: 1, ...provenance, kind, architecture, precision, graph: files[0]! };
  const manifest = { ...head, ...rest, files: Object.fromEntries(described) } as Manifest;
  writeFileSync(path.join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}
