import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EndpointSlice, endpointSliceSchema, readSlices, type Selection } from './endpoint-slices.ts';

type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];

function pod(ip: string, more: Partial<Endpoint> = {}): Endpoint {
  return { addresses: [ip], conditions: { ready: true }, ...more };
}

function slice(endpoints: readonly Endpoint[], more: Partial<EndpointSlice> = {}): EndpointSlice {
  return {
    metadata: { name: 'rag-x', resourceVersion: '1' },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8000, protocol: 'TCP' }],
    endpoints: [...endpoints],
    ...more,
  };
}

const ids = (slices: readonly EndpointSlice[], selection: Selection = {}) =>
  readSlices(slices, selection).found.map(({ id }) => id);
const conditions = (slices: readonly EndpointSlice[]) => readSlices(slices, {}).found.map(({ condition }) => condition);

describe('EndpointSlices', () => {
  it('give address, origin, weight and condition, in the order of ids', () => {
    expect(readSlices([slice([pod('10.0.0.2'), pod('10.0.0.1')])], { weight: 2 })).toEqual({
      found: [
        { id: '10.0.0.1:8000', origin: 'http://10.0.0.1:8000', weight: 2, condition: 'ready', local: true },
        { id: '10.0.0.2:8000', origin: 'http://10.0.0.2:8000', weight: 2, condition: 'ready', local: true },
      ],
      remarks: [],
    });
  });

  it('are read as the API server writes them, null lists and all', () => {
    const written = {
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      addressType: 'IPv4',
      endpoints: null,
      ports: null,
    };
    expect(readSlices([endpointSliceSchema.parse(written)], {})).toEqual({ found: [], remarks: [] });
  });

  it.each([
    [undefined, 'ready'],
    [{}, 'ready'],
    [{ ready: null }, 'ready'],
    [{ ready: true }, 'ready'],
    [{ ready: false }, 'not-ready'],
    [{ ready: false, serving: true }, 'not-ready'],
    [{ ready: false, serving: true, terminating: true }, 'terminating'],
    [{ ready: false, serving: false, terminating: true }, 'terminating'],
    // publishNotReadyAddresses
    [{ ready: true, serving: true, terminating: true }, 'terminating'],
    [{ ready: true, terminating: false }, 'ready'],
  ])('with the conditions %j call a pod %s', (given, expected) => {
    expect(conditions([slice([{ addresses: ['10.0.0.1'], conditions: given }])])).toEqual([expected]);
  });

  it('count an endpoint once that is in two of them, and the ready one wins', () => {
    const notReady = { conditions: { ready: false } };
    const ending = { conditions: { ready: false, terminating: true } };
    expect(conditions([slice([pod('10.0.0.1', notReady)]), slice([pod('10.0.0.1')])])).toEqual(['ready']);
    expect(conditions([slice([pod('10.0.0.1')]), slice([pod('10.0.0.1', ending)])])).toEqual(['ready']);
    expect(conditions([slice([pod('10.0.0.1', notReady)]), slice([pod('10.0.0.1', ending)])])).toEqual(['terminating']);
  });

  it('count only the first address of an endpoint', () => {
    expect(ids([slice([pod('10.0.0.1', { addresses: ['10.0.0.1', '10.0.0.2'] })])])).toEqual(['10.0.0.1:8000']);
  });

  it('put IPv6 addresses in brackets', () => {
    const [found] = readSlices([slice([pod('fd00::1')], { addressType: 'IPv6' })], {}).found;
    expect(found).toMatchObject({ id: '[fd00::1]:8000', origin: 'http://[fd00::1]:8000' });
  });

  it('count a pod of a dual-stack Service once', () => {
    const both = { targetRef: { kind: 'Pod', name: 'rag-1', uid: 'u1' } };
    const onlySix = { targetRef: { kind: 'Pod', name: 'rag-2', uid: 'u2' } };
    const six = slice([pod('fd00::1', both), pod('fd00::2', onlySix), pod('fd00::3')], { addressType: 'IPv6' });
    expect(ids([six, slice([pod('10.0.0.1', both)])])).toEqual(['10.0.0.1:8000', '[fd00::2]:8000', '[fd00::3]:8000']);
  });

  it('with names instead of addresses are ignored, with a remark', () => {
    const named = slice([pod('rag.example')], { addressType: 'FQDN' });
    expect(readSlices([named, slice([pod('10.0.0.1')]), named], {})).toMatchObject({
      found: [{ id: '10.0.0.1:8000' }],
      remarks: ['EndpointSlices with addresses of the type FQDN are ignored'],
    });
  });
});

describe('the port', () => {
  const ports = [
    { name: 'http', port: 8000, protocol: 'TCP' },
    { name: 'metrics', port: 9090 },
    { name: 'dns', port: 53, protocol: 'UDP' },
  ];

  it('is the only one when none is wanted', () => {
    expect(ids([slice([pod('10.0.0.1')], { ports: [{ name: null, port: 80 }] })])).toEqual(['10.0.0.1:80']);
    expect(ids([slice([pod('10.0.0.1')], { ports: [ports[0]!, ports[2]!] })])).toEqual(['10.0.0.1:8000']);
  });

  it('is wanted by its name or its number', () => {
    expect(ids([slice([pod('10.0.0.1')], { ports })], { port: 'metrics' })).toEqual(['10.0.0.1:9090']);
    expect(ids([slice([pod('10.0.0.1')], { ports })], { port: 8000 })).toEqual(['10.0.0.1:8000']);
  });

  it('may have another number in each slice under one name', () => {
    const old = slice([pod('10.0.0.1')]);
    const changed = slice([pod('10.0.0.2')], { ports: [{ name: 'http', port: 8080 }] });
    expect(ids([old, changed], { port: 'http' })).toEqual(['10.0.0.1:8000', '10.0.0.2:8080']);
    expect(ids([old, changed])).toEqual(['10.0.0.1:8000', '10.0.0.2:8080']);
  });

  it('must be named when there are several', () => {
    expect(readSlices([slice([pod('10.0.0.1')], { ports })], {})).toEqual({
      found: [],
      remarks: ['the Service has several ports, name one of http (8000), metrics (9090)'],
    });
  });

  it('that nobody has leaves nobody, with a remark', () => {
    const { found, remarks } = readSlices([slice([pod('10.0.0.1')])], { port: 80 });
    expect(found).toEqual([]);
    expect(remarks).toEqual([
      'no EndpointSlice has the port 80, there is http (8000); a number is that of the pods, not that of the Service',
    ]);
    expect(readSlices([], { port: 80 }).remarks).toEqual([]);
  });

  it('is none where a slice means every port, or UDP', () => {
    expect(ids([slice([pod('10.0.0.1')], { ports: [{ name: 'all', port: null }] })])).toEqual([]);
    expect(ids([slice([pod('10.0.0.1')], { ports })], { port: 'dns' })).toEqual([]);
  });
});

describe('the zone', () => {
  const hinted = (ip: string, zones: readonly string[], more: Partial<Endpoint> = {}) =>
    pod(ip, { hints: { forZones: zones.map((name) => ({ name })) }, ...more });
  const locals = (endpoints: readonly Endpoint[], zone?: string) =>
    readSlices([slice(endpoints)], { zone }).found.map(({ local }) => local);

  it('is preferred where every ready endpoint has hints and one of them is for us', () => {
    expect(locals([hinted('10.0.0.1', ['a']), hinted('10.0.0.2', ['b'])], 'b')).toEqual([false, true]);
    expect(locals([hinted('10.0.0.1', ['a', 'b']), hinted('10.0.0.2', ['b'])], 'b')).toEqual([true, true]);
  });

  it('does not count when we do not know ours', () => {
    expect(locals([hinted('10.0.0.1', ['a']), hinted('10.0.0.2', ['b'])])).toEqual([true, true]);
    expect(locals([hinted('10.0.0.1', ['a'])], '')).toEqual([true]);
  });

  it('does not count when a ready endpoint has no hint', () => {
    expect(locals([hinted('10.0.0.1', ['a']), pod('10.0.0.2')], 'a')).toEqual([true, true]);
    expect(locals([hinted('10.0.0.1', ['a']), hinted('10.0.0.2', [])], 'a')).toEqual([true, true]);
  });

  it('does not count when no ready endpoint is for ours', () => {
    expect(locals([hinted('10.0.0.1', ['a']), hinted('10.0.0.2', ['b'])], 'c')).toEqual([true, true]);
    const ending = hinted('10.0.0.2', ['b'], { conditions: { ready: false, terminating: true } });
    expect(locals([hinted('10.0.0.1', ['a']), ending], 'b')).toEqual([true, true]);
  });

  it('asks no hint of endpoints that are not ready', () => {
    const starting = pod('10.0.0.2', { conditions: { ready: false } });
    expect(locals([hinted('10.0.0.1', ['a']), starting], 'a')).toEqual([true, false]);
  });
});

describe('whatever the slices say', () => {
  const endpoint = fc.record({
    addresses: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.10').map((ip) => [ip]),
    conditions: fc.record({ ready: fc.option(fc.boolean()), terminating: fc.option(fc.boolean()) }),
    hints: fc.option(
      fc.record({ forZones: fc.array(fc.record({ name: fc.constantFrom('a', 'b') }), { maxLength: 2 }) }),
    ),
  });
  const slices = fc.array(
    fc.array(endpoint, { maxLength: 4 }).map((endpoints) => slice(endpoints)),
    { maxLength: 4 },
  );

  it('each id is there once, in order, and the order of slices says nothing', () => {
    fc.assert(
      fc.property(slices, fc.constantFrom('a', undefined), (some, zone) => {
        const { found } = readSlices(some, { zone });
        const named = found.map(({ id }) => id);
        expect(named).toEqual([...new Set(named)].sort());
        expect(readSlices(some.toReversed(), { zone }).found).toEqual(found);
      }),
    );
  });

  it('a ready endpoint is always local when there is one', () => {
    fc.assert(
      fc.property(slices, (some) => {
        const ready = readSlices(some, { zone: 'a' }).found.filter(({ condition }) => condition === 'ready');
        expect(ready.length === 0 || ready.some(({ local }) => local)).toBe(true);
      }),
    );
  });
});
