import { KubernetesError } from '@ragscale/kubernetes/kubernetes-error';
import type { ListWatchClient, WatchRequest } from '@ragscale/kubernetes/list-watch';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { HandClock, settled } from '../../../../test/support/hand-clock.ts';
import type { EndpointSlice } from './endpoint-slices.ts';
import { KubernetesDiscovery } from './kubernetes-discovery.ts';
import { watchReadyCount } from './ready-count.ts';

class FakeClient implements ListWatchClient<EndpointSlice> {
  slices: readonly EndpointSlice[] = [];
  listError: Error | undefined;
  watchError: Error | undefined;
  request: WatchRequest<EndpointSlice> | undefined;

  async list() {
    if (this.listError) throw this.listError;
    return { items: this.slices, resourceVersion: '1' };
  }

  watch(request: WatchRequest<EndpointSlice>, signal: AbortSignal): Promise<void> {
    if (this.watchError) return Promise.reject(this.watchError);
    this.request = request;
    request.onOpen();
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }
}

function slice(name: string, ips: readonly string[], addressType = 'IPv4'): EndpointSlice {
  return {
    metadata: { name, resourceVersion: '2' },
    addressType,
    ports: [{ name: 'http', port: 8000 }],
    endpoints: ips.map((ip) => ({ addresses: [ip] })),
  };
}

function discovery(client: FakeClient) {
  const lines: string[] = [];
  const clock = new HandClock();
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line).msg) });
  const service = { namespace: 'ml', service: 'rag', port: 'http', weight: 3 };
  const found = new KubernetesDiscovery(service, client, { logger, clock, random: () => 1 });
  return { lines, clock, found };
}

describe('discovery by EndpointSlices', () => {
  it('tells a list only when it changes', async () => {
    const client = new FakeClient();
    client.slices = [slice('a', ['10.0.0.1'])];
    const { found } = discovery(client);
    const lists: string[][] = [];
    await found.start((list) => lists.push(list.map(({ id, weight }) => `${id}*${weight}`)));
    await settled();
    client.request?.onEvent({ type: 'MODIFIED', object: slice('a', ['10.0.0.1']) });
    client.request?.onEvent({ type: 'ADDED', object: slice('b', ['10.0.0.1', '10.0.0.2']) });
    await found.stop();
    client.request?.onEvent({ type: 'DELETED', object: slice('b', []) });
    expect(lists).toEqual([['10.0.0.1:8000*3'], ['10.0.0.1:8000*3', '10.0.0.2:8000*3']]);
  });

  it('warns once of what it ignores, and again when it comes back', async () => {
    const client = new FakeClient();
    client.slices = [slice('a', ['10.0.0.1'])];
    const { found, lines } = discovery(client);
    await found.start(() => undefined);
    await settled();
    const named = slice('n', ['rag.example'], 'FQDN');
    for (const type of ['ADDED', 'MODIFIED', 'DELETED', 'ADDED'] as const)
      client.request?.onEvent({ type, object: named });
    await found.stop();
    const words = 'rag: EndpointSlices with addresses of the type FQDN are ignored';
    expect(lines).toEqual([words, words]);
  });

  it('says that a Service has no slices', async () => {
    const { found, lines } = discovery(new FakeClient());
    await found.start(() => undefined);
    await found.stop();
    expect(lines[0]).toBe('rag: no EndpointSlice yet; is the name of the Service right?');
  });

  it('names a missing right once, though it may list and not watch', async () => {
    const client = new FakeClient();
    client.slices = [slice('a', ['10.0.0.1'])];
    client.watchError = new KubernetesError(403, 'cannot watch');
    const { found, lines, clock } = discovery(client);
    await found.start(() => undefined);
    await clock.advance(300_000);
    expect(lines).toEqual([
      'a right is missing: bind a Role with get, list and watch on endpointslices (API group discovery.k8s.io) in the namespace ml to the ServiceAccount; the endpoints found before are kept',
    ]);
    client.watchError = undefined;
    await clock.advance(30_000);
    expect(lines[1]).toBe('the API server answers again');
    await found.stop();
  });

  it('does not wait any longer when it is stopped before the first list', async () => {
    const client = new FakeClient();
    client.listError = new Error('away');
    const { found } = discovery(client);
    const starting = found.start(() => expect.unreachable());
    await settled();
    await found.stop();
    await starting;
  });

  it('counts the ready endpoints', async () => {
    const client = new FakeClient();
    client.slices = [slice('a', ['10.0.0.1'])];
    const { found } = discovery(client);
    const counts: number[] = [];
    await watchReadyCount(found, (count) => counts.push(count));
    await settled();
    client.request?.onEvent({ type: 'MODIFIED', object: slice('a', ['10.0.0.2']) });
    client.request?.onEvent({ type: 'MODIFIED', object: slice('a', ['10.0.0.2', '10.0.0.3']) });
    await found.stop();
    expect(counts).toEqual([1, 2]);
  });
});
