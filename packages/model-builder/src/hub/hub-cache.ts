/**
 * Where does a file of the hub lie on this computer? In the layout of `huggingface_hub`, so that what Python pulled is found here and
 * the other way round: `models--org--name/{blobs,refs,snapshots}`, blobs named by their hash, snapshots of relative links to them.
 */
import { randomUUID } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { isCommit } from './model-name.ts';
import { neededFiles, shardsOf } from './needed-files.ts';

export interface SnapshotFile {
  readonly path: string;
  readonly bytes: number;
}
export type SnapshotState = { readonly files: readonly SnapshotFile[] } | { readonly lacking: string };

/** Of which model and commit is a folder the snapshot, when it is one? */
export function snapshotAt(folder: string): { readonly repository: string; readonly commit: string } | undefined {
  const [, name, commit] = /models--([^/\\]+)[/\\]snapshots[/\\]([0-9a-f]{40})$/.exec(folder) ?? [];
  if (name === undefined || commit === undefined) return undefined;
  return { repository: name.replace('--', '/'), commit };
}

export class HubCache {
  readonly folder: string;
  readonly #root: string;
  readonly #name: string;

  /** @param root the folder of all models @param repository `org/name` */
  constructor(root: string, repository: string) {
    this.#root = root;
    this.#name = `models--${repository.replaceAll('/', '--')}`;
    this.folder = path.join(root, this.#name);
  }

  blob(hex: string): string {
    return path.join(this.folder, 'blobs', hex);
  }

  lock(hex: string): string {
    return path.join(this.#root, '.locks', this.#name, `${hex}.lock`);
  }

  snapshot(commit: string): string {
    return path.join(this.folder, 'snapshots', commit);
  }

  /** The commit that a branch or tag stood for when it was pulled last. */
  commitOf(revision: string): string | undefined {
    if (isCommit(revision)) return revision;
    try {
      const commit = readFileSync(path.join(this.folder, 'refs', revision), 'utf8').trim();
      return isCommit(commit) ? commit : undefined;
    } catch {
      return undefined;
    }
  }

  rememberCommit(revision: string, commit: string): void {
    if (isCommit(revision) || this.commitOf(revision) === commit) return;
    const file = path.join(this.folder, 'refs', revision);
    mkdirSync(path.dirname(file), { recursive: true });
    const scratch = `${file}.${randomUUID().slice(0, 8)}.tmp`;
    writeFileSync(scratch, commit);
    renameSync(scratch, file);
  }

  /** Makes a blob appear under its name in a snapshot, in one step. */
  link(commit: string, name: string, hex: string): void {
    const place = path.join(this.snapshot(commit), ...name.split('/'));
    if (existsSync(place)) return;
    mkdirSync(path.dirname(place), { recursive: true });
    const scratch = `${place}.${randomUUID().slice(0, 8)}.tmp`;
    try {
      symlinkSync(path.relative(path.dirname(place), this.blob(hex)), scratch);
    } catch (error) {
      // Windows wants a right for links that few have.
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
      copyFileSync(this.blob(hex), scratch);
    }
    renameSync(scratch, place);
  }

  /**
   * What of a build's files a snapshot has, or the first that it lacks. Python links file by file as they arrive, and leaves the list of
   * all files beside (`trees/`): where that is, it is asked.
   */
  inspect(commit: string): SnapshotState {
    const folder = this.snapshot(commit);
    if (!existsSync(folder)) return { lacking: 'all files' };
    const { description, weights } = neededFiles(new Set(this.#listing(commit) ?? namesIn(folder)));
    if (weights === undefined) return { lacking: 'the weights' };
    const names = ['config.json', ...description.filter((name) => name !== 'config.json')];
    if ('file' in weights) names.push(weights.file);
    else {
      const index = path.join(folder, weights.index);
      const shards = bytesOf(index) === undefined ? undefined : shardsOf(readFileSync(index, 'utf8'));
      if (shards === undefined) return { lacking: weights.index };
      names.push(weights.index, ...shards);
    }
    const files = names.map((name) => ({ path: name, bytes: bytesOf(path.join(folder, ...name.split('/'))) }));
    const lacking = files.find(({ bytes }) => bytes === undefined);
    return lacking === undefined ? { files: files as SnapshotFile[] } : { lacking: lacking.path };
  }

  #listing(commit: string): readonly string[] | undefined {
    try {
      const json = JSON.parse(readFileSync(path.join(this.folder, 'trees', `${commit}.json`), 'utf8'));
      return json.format_version === 1 ? Object.keys(json.files) : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Links to blobs that are gone do not count. */
function bytesOf(file: string): number | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.isFile() ? found.size : undefined;
}

function namesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.split(path.sep).join('/'));
}
