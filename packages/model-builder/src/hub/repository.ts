/** Which commit does a revision name, and which files does it have? */
import { z } from 'zod';
import { HubError } from './hub-error.ts';
import { isCommit } from './model-name.ts';
import type { Patience } from './patience.ts';
import type { Asked } from './refusal.ts';
import { askJson } from './request.ts';
import type { HubSettings } from './settings.ts';

/** A thousand entries each: no model has more. */
const MAX_PAGES = 50;

export interface RemoteFile {
  /** With forward slashes, from the top of the repository. */
  readonly path: string;
  readonly bytes: number;
  /** Of large files the sha256 of the content; of all others git's hash of the blob. Also the name of the blob in the cache. */
  readonly digest: { readonly algorithm: 'sha256' | 'git-sha1'; readonly hex: string };
}

const commitSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) });
const entrySchema = z.object({
  type: z.string(),
  path: z.string(),
  size: z.int().nonnegative().default(0),
  oid: z.string(),
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().nonnegative() }).optional(),
});
const treeSchema = z.array(entrySchema);

export interface HubAccess {
  readonly settings: HubSettings;
  newPatience(): Patience;
  readonly signal?: AbortSignal | undefined;
}

/** @throws HubError */
export async function commitOf(hub: HubAccess, { repository, revision }: Asked): Promise<string> {
  if (isCommit(revision)) return revision;
  const { endpoint } = hub.settings;
  const address = `${endpoint}/api/models/${repository}/revision/${encodeURIComponent(revision)}`;
  const { json } = await askPatiently(hub, address, { repository, revision });
  const parsed = commitSchema.safeParse(json);
  if (!parsed.success) throw strange(endpoint, `${repository} has no commit for ${revision}`);
  return parsed.data.sha;
}

/** @throws HubError */
export async function filesOf(hub: HubAccess, repository: string, commit: string): Promise<RemoteFile[]> {
  const { endpoint } = hub.settings;
  const files: RemoteFile[] = [];
  let next: string | undefined = `${endpoint}/api/models/${repository}/tree/${commit}?recursive=true`;
  for (let page = 0; next !== undefined; page++) {
    if (page === MAX_PAGES) throw strange(endpoint, `the list of files of ${repository} has no end`);
    const { json, headers } = await askPatiently(hub, next, { repository, revision: commit });
    const parsed = treeSchema.safeParse(json);
    if (!parsed.success)
      throw strange(endpoint, `the list of files of ${repository}: ${parsed.error.issues[0]?.message}`);
    for (const { type, path, size, oid, lfs } of parsed.data) {
      if (type !== 'file') continue;
      const digest = lfs
        ? ({ algorithm: 'sha256', hex: lfs.oid } as const)
        : ({ algorithm: 'git-sha1', hex: oid } as const);
      // It becomes the name of a file.
      if (!/^[0-9a-f]{40,64}$/.test(digest.hex))
        throw strange(endpoint, `${repository}: ${path} has the hash '${digest.hex}'`);
      files.push({ path, bytes: lfs?.size ?? size, digest });
    }
    next = nextPage(headers.get('link'), next);
  }
  return files;
}

async function askPatiently(hub: HubAccess, address: string, asked: Asked) {
  const patience = hub.newPatience();
  for (;;) {
    try {
      return await askJson(hub.settings, address, asked, hub.signal);
    } catch (failure) {
      await patience.after(failure, hub.signal);
    }
  }
}

/** RFC 8288. */
function nextPage(link: string | null, base: string): string | undefined {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? '')?.[1];
  return target !== undefined && URL.canParse(target, base) ? new URL(target, base).href : undefined;
}

const strange = (endpoint: string, what: string) =>
  new HubError('protocol', `${endpoint} does not answer as the hub does: ${what}`);
