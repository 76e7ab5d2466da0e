/** How is a folder written so that it is whole or absent, and never something else's place taken? */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { BuildError } from './errors.ts';

export interface OutputFolder {
  /** A new folder beside the final one: fill it, then `commit`. */
  readonly scratch: string;
  commit(): void;
  discard(): void;
}

export interface OutputOptions {
  /** Replaces a folder that is there; without it, that is an error. */
  readonly force?: boolean | undefined;
  /** A file that only folders of this kind have: `force` replaces these and empty ones, and no other. */
  readonly marker: string;
}

/** @throws BuildError when the folder exists and may not be replaced */
export function openOutputFolder(folder: string, { force, marker }: OutputOptions): OutputFolder {
  if (existsSync(folder)) {
    if (force !== true) throw new BuildError(`${folder} exists; --force replaces it`);
    if (!isReplaceable(folder, marker))
      throw new BuildError(`${folder} has no ${marker}: --force would delete something else`);
  }
  const out = path.resolve(folder);
  mkdirSync(path.dirname(out), { recursive: true });
  const scratch = mkdtempSync(`${out}.building-`);
  chmodSync(scratch, 0o755);
  return {
    scratch,
    commit: () => {
      rmSync(out, { recursive: true, force: true });
      renameSync(scratch, out);
    },
    discard: () => rmSync(scratch, { recursive: true, force: true }),
  };
}

function isReplaceable(folder: string, marker: string): boolean {
  return existsSync(path.join(folder, marker)) || readdirSync(folder).length === 0;
}
