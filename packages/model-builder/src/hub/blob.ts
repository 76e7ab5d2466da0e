/** How does one file of the hub become a verified blob of the cache, going on where an earlier attempt stopped? */
import { createHash, type Hash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { withLock } from './file-lock.ts';
import type { HubCache } from './hub-cache.ts';
import { HubError, PassingFailure } from './hub-error.ts';
import type { Sleep } from './patience.ts';
import type { Asked } from './refusal.ts';
import type { HubAccess, RemoteFile } from './repository.ts';
import { ask } from './request.ts';

/** How often a file may arrive whole and yet wrong. */
const WHOLE_ATTEMPTS = 2;
const READ_BYTES = 1 << 20;

export interface BlobRequest {
  readonly repository: string;
  readonly commit: string;
  readonly file: RemoteFile;
  /** Bytes that are there; less than before when a file has to be begun again. */
  readonly onProgress?: ((doneBytes: number) => void) | undefined;
}

/**
 * @returns bytes that came over the network, those that came twice included
 * @throws HubError; what had arrived stays for the next attempt unless it was wrong
 */
export async function fetchBlob(
  hub: HubAccess & { sleep: Sleep },
  cache: HubCache,
  request: BlobRequest,
): Promise<number> {
  const { digest, bytes } = request.file;
  const blob = cache.blob(digest.hex);
  const isThere = async () => (await stat(blob).catch(() => undefined))?.size === bytes;
  if (await isThere()) return 0;
  await mkdir(path.dirname(blob), { recursive: true });
  return withLock(
    cache.lock(digest.hex),
    async (alone) => {
      // Somebody else may have pulled it while this process waited.
      if (await isThere()) return 0;
      const partial = alone ? `${blob}.incomplete` : `${blob}.${randomUUID().slice(0, 8)}.incomplete`;
      try {
        const fetched = await new Transfer(hub, request, partial).run();
        await rename(partial, blob);
        return fetched;
      } catch (error) {
        // Under a name of its own nobody will ever find it again.
        if (!alone) await rm(partial, { force: true });
        throw error;
      }
    },
    hub,
  );
}

class Transfer {
  readonly #hub: HubAccess;
  readonly #request: BlobRequest;
  readonly #partial: string;
  readonly #asked: Asked;
  #fetched = 0;
  #done = 0;
  #hash: Hash;

  constructor(hub: HubAccess, request: BlobRequest, partial: string) {
    this.#hub = hub;
    this.#request = request;
    this.#partial = partial;
    this.#asked = { repository: request.repository, revision: request.commit, file: request.file.path };
    this.#hash = newHash(request.file);
  }

  async run(): Promise<number> {
    const { file } = this.#request;
    const handle = await open(this.#partial, 'a+').then(async (made) => {
      await made.close();
      return open(this.#partial, 'r+');
    });
    try {
      await this.#takeUp(handle);
      for (let attempt = 1; ; attempt++) {
        await this.#receiveAll(handle);
        const found = this.#hash.copy().digest('hex');
        if (found === file.digest.hex) break;
        await this.#beginAgain(handle);
        if (attempt === WHOLE_ATTEMPTS) {
          const name = `${this.#request.repository}: ${file.path}`;
          throw new HubError(
            'checksum',
            `${name} arrived ${WHOLE_ATTEMPTS} times with another checksum than the hub's (${found} instead of ${file.digest.hex})`,
          );
        }
      }
      await handle.datasync();
      return this.#fetched;
    } finally {
      await handle.close();
    }
  }

  /** Hashes what an earlier attempt left. */
  async #takeUp(handle: FileHandle): Promise<void> {
    const { size } = await handle.stat();
    if (size > this.#request.file.bytes) return this.#beginAgain(handle);
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    while (this.#done < size) {
      const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, this.#done);
      if (bytesRead === 0) break;
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#done += bytesRead;
    }
    this.#report();
  }

  async #beginAgain(handle: FileHandle): Promise<void> {
    await handle.truncate(0);
    this.#hash = newHash(this.#request.file);
    this.#done = 0;
    this.#report();
  }

  async #receiveAll(handle: FileHandle): Promise<void> {
    const patience = this.#hub.newPatience();
    while (this.#done < this.#request.file.bytes) {
      const before = this.#done;
      try {
        await this.#receive(handle);
      } catch (failure) {
        if (this.#done > before) patience.renew();
        await patience.after(failure, this.#hub.signal);
      }
    }
  }

  /** One response, written where the file stops; until it is whole or the response ends. */
  async #receive(handle: FileHandle): Promise<void> {
    const { repository, commit, file } = this.#request;
    const { settings, signal } = this.#hub;
    const address = `${settings.endpoint}/${repository}/resolve/${commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`;
    const headers: Record<string, string> = this.#done > 0 ? { range: `bytes=${this.#done}-` } : {};
    const response = await ask(settings, address, this.#asked, { headers, signal });
    if (this.#done > 0 && !continues(response, this.#done)) {
      // The range was ignored, or there is nothing there: what is here does not help.
      await this.#beginAgain(handle);
      if (response.status !== 200) {
        response.discard();
        throw new PassingFailure(
          new HubError('protocol', `${repository}: ${file.path} cannot be had from where it stopped`),
        );
      }
    }
    for await (const chunk of response.body()) {
      this.#fetched += chunk.length;
      if (this.#done + chunk.length > file.bytes) {
        await this.#beginAgain(handle);
        throw new PassingFailure(
          new HubError(
            'checksum',
            `${repository}: ${file.path} is longer than the ${file.bytes} bytes that the hub says`,
          ),
        );
      }
      await writeAll(handle, chunk, this.#done);
      this.#hash.update(chunk);
      this.#done += chunk.length;
      this.#report();
    }
    if (this.#done < file.bytes) {
      throw new PassingFailure(
        new HubError('unreachable', `${repository}: ${file.path} ends after ${this.#done} of ${file.bytes} bytes`),
      );
    }
  }

  #report(): void {
    this.#request.onProgress?.(this.#done);
  }
}

const continues = (response: { status: number; headers: Headers }, from: number) =>
  response.status === 206 && (response.headers.get('content-range') ?? '').startsWith(`bytes ${from}-`);

/** git hashes a blob with its length before it. */
function newHash({ digest, bytes }: RemoteFile): Hash {
  return digest.algorithm === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${bytes}\0`);
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, done, chunk.length - done, position + done);
    done += bytesWritten;
  }
}
