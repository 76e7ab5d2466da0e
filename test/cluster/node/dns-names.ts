/** What does a name of the cluster stand for? https://github.com/kubernetes/dns/blob/master/docs/specification.md */
import type { V1EndpointSlice, V1Service } from '@kubernetes/client-node';
import { type Answer, type DnsRecord, TYPE } from './dns-message.ts';

const DOMAIN = 'cluster.local';
const NOTHING = { records: [], additional: [] };
const NO_SUCH_NAME: Answer = { code: 'no such name', ...NOTHING };

interface Endpoint {
  /** Its host name, or one made of its address. */
  readonly label: string;
  readonly address: string;
  readonly ports: V1EndpointSlice['ports'];
}

/** @param name in lower case, without the last dot */
export function answer(
  name: string,
  type: number,
  services: readonly V1Service[],
  slices: readonly V1EndpointSlice[],
): Answer {
  // Who knows the rest of the world is out of reach.
  if (name !== DOMAIN && !name.endsWith(`.${DOMAIN}`)) return { code: 'refused', ...NOTHING };
  const [kind, namespace, serviceName, ...rest] = name
    .slice(0, -DOMAIN.length - 1)
    .split('.')
    .reverse();
  if (kind !== 'svc' || !namespace || !serviceName) return NO_SUCH_NAME;
  const service = services.find(({ metadata }) => metadata?.name === serviceName && metadata.namespace === namespace);
  if (!service) return NO_SUCH_NAME;
  const endpoints = service.spec?.clusterIP === 'None' ? endpointsOf(service, slices) : undefined;
  const own = `${serviceName}.${namespace}.svc.${DOMAIN}`;
  const [first, second] = rest;
  if (first === undefined) return addresses(name, type, endpoints ?? [{ address: service.spec?.clusterIP ?? '' }]);
  if (second === undefined) return addresses(name, type, endpoints?.filter(({ label }) => label === first) ?? []);
  return rest.length === 2
    ? ports(name, own, { protocol: first, port: second }, type, service, endpoints)
    : NO_SUCH_NAME;
}

function addresses(name: string, type: number, found: readonly { readonly address: string }[]): Answer {
  if (found.length === 0) return NO_SUCH_NAME;
  const records = type === TYPE.a ? found.map(({ address }): DnsRecord => ({ type: 'A', name, address })) : [];
  return { code: 'found', records, additional: [] };
}

/** SRV: `_PORT._PROTOCOL.SERVICE`. */
function ports(
  name: string,
  own: string,
  wanted: { readonly protocol: string; readonly port: string },
  type: number,
  service: V1Service,
  endpoints: readonly Endpoint[] | undefined,
): Answer {
  const isWanted = (port: { name?: string; protocol?: string }) =>
    `_${port.name}` === wanted.port && `_${port.protocol?.toLowerCase()}` === wanted.protocol;
  const targets = endpoints
    ? endpoints.flatMap(({ label, address, ports = [] }) =>
        ports.filter(isWanted).map(({ port = 0 }) => ({ target: `${label}.${own}`, address, port })),
      )
    : (service.spec?.ports ?? [])
        .filter(isWanted)
        .map(({ port }) => ({ target: own, address: service.spec?.clusterIP ?? '', port }));
  if (targets.length === 0) return NO_SUCH_NAME;
  if (type !== TYPE.srv) return { code: 'found', ...NOTHING };
  return {
    code: 'found',
    records: targets.map(({ target, port }) => ({ type: 'SRV', name, target, port })),
    additional: targets.map(({ target, address }) => ({ type: 'A', name: target, address })),
  };
}

function endpointsOf(service: V1Service, slices: readonly V1EndpointSlice[]): Endpoint[] {
  const { name, namespace } = service.metadata ?? {};
  return slices
    .filter(
      ({ metadata }) => metadata?.labels?.['kubernetes.io/service-name'] === name && metadata?.namespace === namespace,
    )
    .filter(({ addressType }) => addressType === 'IPv4')
    .flatMap(({ endpoints = [], ports }) =>
      endpoints
        .filter(({ conditions }) => conditions?.ready !== false || service.spec?.publishNotReadyAddresses)
        .flatMap(({ addresses, hostname }) =>
          addresses.map((address) => ({ label: hostname ?? address.replaceAll('.', '-'), address, ports })),
        ),
    );
}
