/** Which source of endpoints does one URL of `BACKENDS` mean? */
import { isIPv6 } from 'node:net';

export type SourceSpec = StaticSource | DnsSource | KubernetesSource;

export interface StaticSource {
  readonly kind: 'static';
  /** An IPv6 address stands in brackets. */
  readonly host: string;
  readonly port: number;
  readonly weight: number;
}

export interface DnsSource {
  readonly kind: 'dns';
  readonly host: string;
  readonly port: number;
  /** Of each endpoint found. */
  readonly weight: number;
}

export interface KubernetesSource {
  readonly kind: 'kubernetes';
  /** Undefined: the namespace that the process runs in. */
  readonly namespace: string | undefined;
  readonly service: string;
  /** The name of the Service's port, or the number that the pods listen on; undefined: the only port there is. */
  readonly port: string | number | undefined;
  /** Of each endpoint found. */
  readonly weight: number;
}

const EXAMPLES = 'http://host:8000, dns://name:8000 or k8s://namespace/service:port';
const MAX_WEIGHT = 1000;

/** RFC 1123: what Kubernetes calls a DNS label. */
export const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** @throws Error naming what is wrong with the URL and what to write instead */
export function parseSource(text: string): SourceSpec {
  const given = shown(text);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) throw new Error(`${given}: has no scheme; write ${EXAMPLES}`);
  if (scheme === 'https') {
    throw new Error(`${given}: TLS towards the pods is not supported; write http:// instead of https://`);
  }
  if (scheme !== 'http' && scheme !== 'dns' && scheme !== 'k8s') {
    throw new Error(`${given}: the scheme ${scheme}:// is not known; write ${EXAMPLES}`);
  }
  const [address, weight] = splitUrl(text.slice(scheme.length + '://'.length), given);
  if (scheme === 'k8s') return { kind: 'kubernetes', ...kubernetesAddress(address, given), weight };
  return { kind: scheme === 'dns' ? 'dns' : 'static', ...networkAddress(address, scheme, given), weight };
}

/** `host:port/?weight=2` -> `host:port` and 2. */
function splitUrl(rest: string, given: string): [address: string, weight: number] {
  if (rest.includes('#')) throw new Error(`${given}: has a fragment; write it without the # and what follows`);
  if (rest.includes('@'))
    throw new Error(`${given}: credentials are not supported; write it without what stands before the @`);
  const [beforeQuery = '', ...query] = rest.split('?');
  return [beforeQuery.replace(/\/+$/, ''), weightOf(query.join('?'), given)];
}

function weightOf(query: string, given: string): number {
  if (query === '') return 1;
  const weight = /^weight=(\d{1,4}(?:\.\d{1,6})?)$/.exec(query)?.[1];
  if (weight === undefined) throw new Error(`${given}: ?${query} is not known; write ?weight=2 or nothing`);
  if (Number(weight) <= 0 || Number(weight) > MAX_WEIGHT) {
    throw new Error(`${given}: the weight ${weight} is out of range; write a number over 0 and up to ${MAX_WEIGHT}`);
  }
  return Number(weight);
}

function networkAddress(address: string, scheme: string, given: string): { host: string; port: number } {
  const slash = address.indexOf('/');
  if (slash >= 0) {
    throw new Error(
      `${given}: has a path; write ${scheme}://${address.slice(0, slash)}, the request brings its own path`,
    );
  }
  const parts = /^(\[[^\]]*\]|[^:]*)(?::([^:]*))?$/.exec(address);
  if (!parts)
    throw new Error(`${given}: is no host and port; write ${scheme}://host:8000, an IPv6 address in [brackets]`);
  const [, host = '', port] = parts;
  if (host === '') throw new Error(`${given}: has no host; write ${scheme}://host:8000`);
  if (!port) throw new Error(`${given}: has no port; write ${scheme}://${host}:8000`);
  return { host: canonicalHost(host, scheme, given), port: portNumber(port, given) };
}

function canonicalHost(host: string, scheme: string, given: string): string {
  const url = URL.parse(`http://${host}:1`);
  const understood = url?.hostname.replace(/\.$/, '');
  if (!understood || (host.startsWith('[') && !isIPv6(host.slice(1, -1)))) {
    throw new Error(`${given}: ${host} is no host; write ${scheme}://host:8000`);
  }
  return understood;
}

function portNumber(port: string, given: string): number {
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw new Error(`${given}: ${port} is no port; write a number from 1 to 65535`);
  }
  return Number(port);
}

function kubernetesAddress(address: string, given: string): Pick<KubernetesSource, 'namespace' | 'service' | 'port'> {
  const parts = /^(?:([^/:]*)\/)?([^/:]*)(?::([^/:]*))?$/.exec(address);
  if (!parts?.[2]) throw new Error(`${given}: is no Service; write k8s://service, k8s://namespace/service:port`);
  const [, namespace, service, port] = parts;
  for (const [name, what] of [
    [namespace, 'namespace'],
    [service, 'Service'],
  ] as const) {
    if (name !== undefined && !DNS_LABEL.test(name)) {
      throw new Error(`${given}: ${name || 'nothing'} is no name of a ${what}; write k8s://namespace/service:port`);
    }
  }
  if (port !== undefined && /^\d+$/.test(port)) return { namespace, service, port: portNumber(port, given) };
  if (port !== undefined && !DNS_LABEL.test(port)) {
    throw new Error(
      `${given}: ${port || 'nothing'} is no port; write its name or its number, as in k8s://service:http`,
    );
  }
  return { namespace, service, port };
}

/** For an error: a password must not come into a log that way. */
export function shown(text: string): string {
  return text.replaceAll(/(^|[,;=\s])([a-z0-9+.-]+:\/\/)?[^,;\s]*@/gi, '$1$2***@').slice(0, 200);
}
