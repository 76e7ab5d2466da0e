import { Resolver } from 'node:dns/promises';
import type { V1EndpointSlice, V1Service } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer } from './dns-names.ts';
import { type DnsServer, serveDns } from './dns-server.ts';

const PODS = 60;

const services: V1Service[] = [
  service('proxy', { clusterIP: '10.96.0.7', ports: [{ name: 'http', protocol: 'TCP', port: 80 }] }),
  service('pods', { clusterIP: 'None' }),
  service('many', { clusterIP: 'None' }),
  service('starting', { clusterIP: 'None', publishNotReadyAddresses: true }),
];
const slices: V1EndpointSlice[] = [
  slice('pods', [
    { addresses: ['10.244.0.2'], conditions: { ready: true }, hostname: 'first' },
    { addresses: ['10.244.0.3'], conditions: { ready: true } },
    { addresses: ['10.244.0.4'], conditions: { ready: false } },
  ]),
  slice(
    'many',
    Array.from({ length: PODS }, (_, index) => ({ addresses: [`10.244.1.${index}`], conditions: {} })),
  ),
  slice('starting', [{ addresses: ['10.244.2.2'], conditions: { ready: false } }]),
];

describe('DNS of a cluster', () => {
  let server: DnsServer;
  const resolver = new Resolver({ timeout: 10_000, tries: 1 });
  beforeAll(async () => {
    server = await serveDns('127.0.0.1', 0, ({ name, type }) => answer(name, type, services, slices));
    resolver.setServers([`127.0.0.1:${server.port}`]);
  });
  afterAll(() => server[Symbol.dispose]());

  it('knows a Service by its address', async () => {
    expect(await resolver.resolve4('proxy.rag.svc.cluster.local')).toEqual(['10.96.0.7']);
    expect(await resolver.resolve4('PROXY.rag.svc.Cluster.Local')).toEqual(['10.96.0.7']);
  });

  it('knows a headless Service by its ready pods', async () => {
    expect(await resolver.resolve4('pods.rag.svc.cluster.local')).toEqual(['10.244.0.2', '10.244.0.3']);
    expect(await resolver.resolve4('starting.rag.svc.cluster.local')).toEqual(['10.244.2.2']);
  });

  it('knows each of them by its host name, or by its address', async () => {
    expect(await resolver.resolve4('first.pods.rag.svc.cluster.local')).toEqual(['10.244.0.2']);
    expect(await resolver.resolve4('10-244-0-3.pods.rag.svc.cluster.local')).toEqual(['10.244.0.3']);
  });

  it('says which ports there are', async () => {
    const common = { priority: 0, weight: 100 };
    expect(await resolver.resolveSrv('_http._tcp.proxy.rag.svc.cluster.local')).toMatchObject([
      { ...common, port: 80, name: 'proxy.rag.svc.cluster.local' },
    ]);
    expect(await resolver.resolveSrv('_http._tcp.pods.rag.svc.cluster.local')).toMatchObject([
      { ...common, port: 8000, name: 'first.pods.rag.svc.cluster.local' },
      { ...common, port: 8000, name: '10-244-0-3.pods.rag.svc.cluster.local' },
    ]);
  });

  it('answers over TCP what is too long for a datagram', async () => {
    const found = await resolver.resolveSrv('_http._tcp.many.rag.svc.cluster.local');
    expect(found.map(({ name }) => name)).toEqual(
      Array.from({ length: PODS }, (_, index) => `10-244-1-${index}.many.rag.svc.cluster.local`),
    );
  });

  it.each([
    ['a Service that is not there', 'nobody.rag.svc.cluster.local', 'ENOTFOUND'],
    ['a Service of another namespace', 'proxy.default.svc.cluster.local', 'ENOTFOUND'],
    ['a pod that is not ready', '10-244-0-4.pods.rag.svc.cluster.local', 'ENOTFOUND'],
    ['the world outside', 'example.com', 'EREFUSED'],
  ])('does not know %s', async (_, name, code) => {
    await expect(resolver.resolve4(name)).rejects.toMatchObject({ code });
  });

  it('has no IPv6 addresses, which is not to say that there is no such name', async () => {
    await expect(resolver.resolve6('proxy.rag.svc.cluster.local')).rejects.toMatchObject({ code: 'ENODATA' });
  });
});

function service(name: string, spec: V1Service['spec']): V1Service {
  return { metadata: { name, namespace: 'rag' }, ...(spec && { spec }) };
}

function slice(name: string, endpoints: NonNullable<V1EndpointSlice['endpoints']>): V1EndpointSlice {
  return {
    metadata: { name: `${name}-x`, namespace: 'rag', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints,
    ports: [{ name: 'http', protocol: 'TCP', port: 8000 }],
  };
}
