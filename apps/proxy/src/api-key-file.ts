/** Which keys are valid now? Those of a file, read again when it changes. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type ApiKeys, parseApiKeys } from '@ragscale/service/api-keys';
import type { Logger } from 'pino';

/** The file cannot be read, or is not one of keys. */
export class ApiKeyFileError extends Error {
  override readonly name = 'ApiKeyFileError';
}

export interface ApiKeyFileParts {
  readonly path: string;
  readonly logger: Logger;
  /** Between two looks at the file, in milliseconds. */
  readonly intervalMs?: number;
}

/**
 * Kubernetes changes a mounted Secret by pointing a symbolic link elsewhere, which a watch on the file does not see; and a file's times
 * can stay the same when it changes twice in one tick of the clock. A list of keys is small: its content is looked at.
 */
const INTERVAL_MS = 2_000;

/** A change must look the same a moment later: a file that is written in place is empty, or half there, for an instant. */
const SETTLED_MS = 50;

export class ApiKeyFile {
  readonly #parts: ApiKeyFileParts;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #keys: ApiKeys;
  /** What was last seen: the text, or why there was none. Whatever it was, it has been dealt with. */
  #seen: string;

  /** @throws ApiKeyFileError naming the file */
  constructor(parts: ApiKeyFileParts) {
    this.#parts = parts;
    try {
      this.#seen = readFileSync(parts.path, 'utf8');
      this.#keys = parseApiKeys(this.#seen);
    } catch (cause) {
      throw new ApiKeyFileError(`the file of API keys ${parts.path}: ${reasonOf(cause)}`, { cause });
    }
    this.#announce('API keys are read');
    this.#schedule();
  }

  /** The same object until the file has changed. */
  get keys(): ApiKeys {
    return this.#keys;
  }

  /** Looks no more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#look(), this.#parts.intervalMs ?? INTERVAL_MS).unref();
  }

  async #look(): Promise<void> {
    const { path, logger } = this.#parts;
    try {
      const text = await readFile(path, 'utf8');
      if (text === this.#seen) return;
      await pause(SETTLED_MS, undefined, { ref: false });
      if (this.#stopped || (await readFile(path, 'utf8')) !== text) return;
      this.#seen = text;
      this.#keys = parseApiKeys(text);
      this.#announce('API keys have changed');
    } catch (cause) {
      const reason = reasonOf(cause);
      // A text that is bad is in #seen by now, and comes here once; an unreadable file comes at every look.
      if (isUnreadable(cause) && reason === this.#seen) return;
      if (isUnreadable(cause)) this.#seen = reason;
      logger.error({ path, reason }, 'the file of API keys is not usable; the keys of before stay valid');
    } finally {
      this.#schedule();
    }
  }

  #announce(message: string): void {
    const { size, names } = this.#keys;
    const level = size === 0 ? 'warn' : 'info';
    this.#parts.logger[level]({ path: this.#parts.path, keys: size, holders: names.size }, message);
  }
}

/** For people: the system's code where there is one, otherwise the message of the parser, which repeats nothing of the text. */
function reasonOf(cause: unknown): string {
  if (isUnreadable(cause)) return `it cannot be read (${cause.code})`;
  return cause instanceof Error ? cause.message : String(cause);
}

function isUnreadable(cause: unknown): cause is NodeJS.ErrnoException & { code: string } {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string';
}
