/** Which paths does the public port forward? Those of questions; never the pods' metrics and probes. */

/** One spelling for a path: no encoded letters, empty segments or dots by which a pod could understand another path. */
const PLAIN = /^(\/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*\/?$/;

export class PublicPaths {
  readonly #exact: ReadonlySet<string>;
  readonly #prefixes: readonly string[];

  /** @param patterns `/rag` for the path alone, `/v1/*` for all below `/v1/` */
  constructor(patterns: readonly string[]) {
    this.#exact = new Set(patterns.filter((pattern) => !pattern.endsWith('/*')));
    this.#prefixes = patterns.filter((pattern) => pattern.endsWith('/*')).map((pattern) => pattern.slice(0, -1));
  }

  /** @param target of the request line; what is no path in origin form (RFC 9112, 3.2.1) is not public */
  includes(target: string): boolean {
    if (this.#exact.has(target)) return true;
    const query = target.indexOf('?');
    // A fragment is no part of a target, and what a reader makes of it is not known.
    if (query >= 0 && target.includes('#', query)) return false;
    const path = query < 0 ? target : target.slice(0, query);
    if (this.#exact.has(path)) return true;
    return this.#prefixes.some((prefix) => path.startsWith(prefix)) && PLAIN.test(path);
  }
}
