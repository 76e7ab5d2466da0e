/** Who may ask? The format of a file of API keys, of which it holds only hashes, and the search for the holder of a key. */
import { hash, randomBytes } from 'node:crypto';

export interface KeyHolder {
  readonly name: string;
  /** Requests a second of all keys of the name together; no limit without it. */
  readonly ratePerSecond?: number;
  /** Requests at once after a rest. */
  readonly burst?: number;
}

/** How a line must look, for messages and documentation. */
export const KEY_LINE_FORMAT = 'NAME sha256:HEX [rate=REQUESTS_PER_SECOND] [burst=N]';

/** What a holder may be called: it stands in logs and in a line of words. */
export const KEY_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** What hashing one request's key may cost, in bytes. */
const MAX_KEY_BYTES = 512;

const KEY_PREFIX = 'rs_';
const HASH = /^sha256:([0-9a-f]{64})$/i;
const RATE = /^[0-9]{1,9}(\.[0-9]{1,6})?$/;
const BURST = /^[0-9]{1,9}$/;
/** RFC 9110, 11.1: the scheme in either case; RFC 6750, 2.1: which characters a token has. */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** A key that nobody can guess, and the hash to write down of it, as it stands in the file. */
export function newApiKey(): { readonly key: string; readonly hash: string } {
  const key = KEY_PREFIX + randomBytes(32).toString('base64url');
  return { key, hash: `sha256:${hash('sha256', key)}` };
}

/** The line of the file. @param hash as `newApiKey` gives it */
export function renderKeyLine({ name, ratePerSecond, burst }: KeyHolder, hash: string): string {
  const rate = ratePerSecond === undefined ? '' : ` rate=${ratePerSecond}`;
  return `${name} ${hash}${rate}${burst === undefined ? '' : ` burst=${burst}`}`;
}

export class ApiKeys {
  readonly #holders: ReadonlyMap<string, KeyHolder>;
  /** Everybody who holds a key. */
  readonly names: ReadonlySet<string>;

  /** @param holders by the SHA-256 of their keys, in lower-case hexadecimal digits */
  constructor(holders: ReadonlyMap<string, KeyHolder>) {
    this.#holders = holders;
    this.names = new Set([...holders.values()].map(({ name }) => name));
  }

  /** Keys, of which several may have one holder. */
  get size(): number {
    return this.#holders.size;
  }

  /**
   * Who sent a request; undefined for a key that is unknown, or none.
   *
   * The look-up needs no comparison in constant time: what it compares is the SHA-256 of what was sent with those of the keys. Its time
   * may tell how far two hashes agree, and that brings nobody nearer to a key: whoever guesses cannot choose the hash of his next guess,
   * and 32 random bytes are not found from their hash.
   * @param authorization the value of the header
   */
  find(authorization: string | undefined): KeyHolder | undefined {
    if (authorization === undefined || authorization.length > MAX_KEY_BYTES + 'Bearer '.length) return undefined;
    const key = BEARER.exec(authorization)?.[1];
    return key === undefined ? undefined : this.#holders.get(hash('sha256', key));
  }
}

interface KeyLine {
  readonly number: number;
  readonly digest: string;
  readonly holder: KeyHolder;
}

/**
 * Keys of a file with one per line. The same name on several lines is one holder, whose old and new key are both valid; rate and burst are
 * the holder's, and stand on one of the lines, or alike on several.
 * @throws Error naming the line and what to write; never what stands there, which may be a key
 */
export function parseApiKeys(text: string): ApiKeys {
  const lines = text
    .split(/\r?\n/)
    .map((line, index) => ({ words: line.replace(/#.*/, '').split(/\s+/).filter(Boolean), number: index + 1 }))
    .filter(({ words }) => words.length > 0)
    .map(({ words, number }) => parseLine(words, number));
  const byName = new Map<string, KeyHolder>();
  for (const line of lines) byName.set(line.holder.name, together(byName.get(line.holder.name), line));
  const holders = new Map<string, KeyHolder>();
  for (const { number, digest, holder } of lines) {
    if (holders.has(digest)) throw new Error(`line ${number}: another line has this hash; remove one of the two`);
    holders.set(digest, byName.get(holder.name) ?? holder);
  }
  return new ApiKeys(holders);
}

function parseLine([name = '', hashed = '', ...settings]: readonly string[], number: number): KeyLine {
  const fail = (write: string): never => {
    throw new Error(`line ${number}: ${write}`);
  };
  if (name.startsWith(KEY_PREFIX) || hashed.startsWith(KEY_PREFIX))
    fail(`a key itself must not stand here, only its hash; write ${KEY_LINE_FORMAT}, as \`ragscale keys new\` prints`);
  if (!KEY_NAME.test(name))
    fail(`write ${KEY_LINE_FORMAT}, with a name of at most 64 letters, digits, dots, dashes or underscores`);
  const digest = HASH.exec(hashed)?.[1] ?? fail(`write ${KEY_LINE_FORMAT}, with 64 hexadecimal digits after sha256:`);
  let holder: KeyHolder = { name };
  for (const setting of settings) {
    const value = setting.slice(setting.indexOf('=') + 1);
    if (setting.startsWith('rate=') && holder.ratePerSecond === undefined && RATE.test(value) && Number(value) > 0)
      holder = { ...holder, ratePerSecond: Number(value) };
    else if (setting.startsWith('burst=') && holder.burst === undefined && BURST.test(value) && Number(value) > 0)
      holder = { ...holder, burst: Number(value) };
    else fail('after the hash write rate= and a number over 0, burst= and a whole number from 1, each at most once');
  }
  if (holder.burst !== undefined && holder.ratePerSecond === undefined)
    fail('burst= has a meaning only beside rate=; write both, or neither');
  return { number, digest: digest.toLowerCase(), holder };
}

function together(known: KeyHolder | undefined, { holder, number }: KeyLine): KeyHolder {
  if (known?.ratePerSecond === undefined) return holder;
  if (holder.ratePerSecond === undefined) return known;
  if (holder.ratePerSecond === known.ratePerSecond && holder.burst === known.burst) return known;
  throw new Error(
    `line ${number}: an earlier line of this name has another rate or burst; write the same, or none here`,
  );
}
