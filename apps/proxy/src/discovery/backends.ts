/** Which routes does the variable `BACKENDS` name, and where does each find its pods? */
import { DNS_LABEL, parseSource, type SourceSpec, shown } from './source-url.ts';

export interface RouteSpec {
  /** A DNS label; `default` where the one route has no name. */
  readonly name: string;
  /** Its share of the requests that name no route: an integer from 0 to 1000. */
  readonly weight: number;
  /** At least one. */
  readonly sources: readonly SourceSpec[];
}

const DEFAULT_ROUTE = 'default';
const MAX_ROUTE_WEIGHT = 1000;

/** For the documentation of the variable. */
export const BACKENDS_FORMAT =
  'URLs with commas between them: http://host:port[?weight=N], dns://name:port, k8s://[namespace/]service[:port]; ' +
  'several routes as name[*weight]=URLs with semicolons between them';

/**
 * `http://a:8000,http://b:8000?weight=2`
 * `dns://name:8000`
 * `k8s://[namespace/]service[:port]`
 * `batched=k8s://rag-batched:http; baseline*10=http://a:8000,http://b:8000`
 *
 * `*10` is the weight of a route, 1 unless given; 0 for a route that is only chosen by header. Empty parts are left out.
 * @throws Error naming the part that is wrong and what to write instead
 */
export function parseBackends(text: string): readonly RouteSpec[] {
  const parts = nonEmptyParts(text, ';');
  if (parts.length === 0) throw new Error('no backend is named; write for example http://127.0.0.1:8000');
  const routes = parts.map((part) => parseRoute(part, parts.length === 1));
  const names = new Set<string>();
  for (const { name } of routes) {
    if (names.has(name)) throw new Error(`the route ${name} is named twice; write all its sources after one ${name}=`);
    names.add(name);
  }
  if (routes.every(({ weight }) => weight === 0)) {
    throw new Error(
      'every route has the weight 0; write a weight over 0 for the one that takes requests without a header',
    );
  }
  return routes;
}

function parseRoute(part: string, isOnly: boolean): RouteSpec {
  const { head, rest } = splitHead(part);
  if (head === undefined && !isOnly) {
    throw new Error(`${shown(part)}: one of several routes needs a name; write for example batched=${shown(rest)}`);
  }
  const named = head === undefined ? { name: DEFAULT_ROUTE, weight: 1 } : parseHead(head);
  const sources = nonEmptyParts(rest, ',').map(parseSource);
  if (sources.length === 0) {
    throw new Error(`the route ${named.name} has no backend; write ${named.name}=http://host:8000`);
  }
  refuseRepeated(sources);
  return { ...named, sources };
}

/** What stands before the first `=`, unless that belongs to a URL. */
function splitHead(part: string): { head: string | undefined; rest: string } {
  const equals = part.indexOf('=');
  const url = part.indexOf('://');
  if (equals < 0 || (url >= 0 && url < equals)) return { head: undefined, rest: part };
  return { head: part.slice(0, equals).trim(), rest: part.slice(equals + 1) };
}

function parseHead(head: string): { name: string; weight: number } {
  const [name = '', weight, ...more] = head.split('*').map((piece) => piece.trim());
  if (!DNS_LABEL.test(name)) {
    throw new Error(
      `${shown(head)}: ${name ? shown(name) : 'nothing'} is no name of a route; write lower-case letters, digits and hyphens`,
    );
  }
  if (weight === undefined) return { name, weight: 1 };
  if (more.length > 0 || !/^\d{1,4}$/.test(weight) || Number(weight) > MAX_ROUTE_WEIGHT) {
    throw new Error(
      `${shown(head)}: the weight of a route is an integer from 0 to ${MAX_ROUTE_WEIGHT}; write ${name}*10=`,
    );
  }
  return { name, weight: Number(weight) };
}

function refuseRepeated(sources: readonly SourceSpec[]): void {
  const seen = new Set<string>();
  for (const source of sources) {
    const { weight: _, ...place } = source;
    const key = JSON.stringify(place);
    if (seen.has(key)) {
      const name = source.kind === 'kubernetes' ? `k8s://${source.service}` : `${source.host}:${source.port}`;
      throw new Error(`${name} is there twice in one route; write it once, with ?weight=2 for twice the share`);
    }
    seen.add(key);
  }
}

function nonEmptyParts(text: string, separator: string): string[] {
  return text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
