import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBackends, type RouteSpec } from './backends.ts';
import type { SourceSpec } from './source-url.ts';

describe('BACKENDS', () => {
  it('is a list of URLs for the one route', () => {
    expect(parseBackends('http://a:8000,http://b:8000?weight=2')).toEqual([
      {
        name: 'default',
        weight: 1,
        sources: [
          { kind: 'static', host: 'a', port: 8000, weight: 1 },
          { kind: 'static', host: 'b', port: 8000, weight: 2 },
        ],
      },
    ]);
  });

  it('mixes addresses, names and Services', () => {
    const [route] = parseBackends('http://[::1]:8000/, dns://rag.example:8000, k8s://ml/rag-batched:http?weight=0.5');
    expect(route?.sources).toEqual([
      { kind: 'static', host: '[::1]', port: 8000, weight: 1 },
      { kind: 'dns', host: 'rag.example', port: 8000, weight: 1 },
      { kind: 'kubernetes', namespace: 'ml', service: 'rag-batched', port: 'http', weight: 0.5 },
    ]);
  });

  it('is several routes, each with its name and weight', () => {
    const routes = parseBackends(
      'batched=k8s://rag-batched:8000; baseline*10=http://a:8000,http://b:8000;canary*0=dns://c:1;',
    );
    expect(routes.map(({ name, weight, sources }) => [name, weight, sources.length])).toEqual([
      ['batched', 1, 1],
      ['baseline', 10, 2],
      ['canary', 0, 1],
    ]);
    expect(routes[0]?.sources).toEqual([
      { kind: 'kubernetes', namespace: undefined, service: 'rag-batched', port: 8000, weight: 1 },
    ]);
  });

  it('may name its one route, and leaves out what is empty', () => {
    expect(parseBackends(' ;baseline = http://a:1 ,, ; ')).toEqual([
      { name: 'baseline', weight: 1, sources: [{ kind: 'static', host: 'a', port: 1, weight: 1 }] },
    ]);
    expect(parseBackends('http://a:1?weight=3')[0]?.name).toBe('default');
  });

  it('takes hosts as URLs do: no case, no last dot', () => {
    expect(parseBackends('HTTP://POD.Example.:8000')[0]?.sources[0]).toMatchObject({ host: 'pod.example' });
  });

  it.each([
    ['', 'no backend is named; write for example http://127.0.0.1:8000'],
    [' ,; ', 'no backend'],
    ['a:8000', 'a:8000: has no scheme; write http://host:8000'],
    ['https://a:8000', 'https://a:8000: TLS towards the pods is not supported; write http://'],
    ['ftp://a:8000', 'the scheme ftp:// is not known; write http://host:8000, dns://'],
    ['http://a', 'http://a: has no port; write http://a:8000'],
    ['http://a:', 'http://a:: has no port; write http://a:8000'],
    ['http://:8000', 'http://:8000: has no host; write http://host:8000'],
    ['http://a:0', '0 is no port; write a number from 1 to 65535'],
    ['http://a:65536', '65536 is no port'],
    ['http://a:8000/v1', 'http://a:8000/v1: has a path; write http://a:8000'],
    ['http://a:8000#x', 'has a fragment; write it without the #'],
    ['http://a b:8000', 'a b is no host'],
    ['http://::1:8000', 'an IPv6 address in [brackets]'],
    ['http://[::g]:8000', '[::g] is no host'],
    ['http://a:8000?weight=0', 'the weight 0 is out of range; write a number over 0'],
    ['http://a:8000?weight=1001', 'the weight 1001 is out of range'],
    ['http://a:8000?weight=-1', '?weight=-1 is not known; write ?weight=2'],
    ['http://a:8000?color=red', '?color=red is not known'],
    ['dns://a', 'dns://a: has no port; write dns://a:8000'],
    ['k8s://', 'is no Service; write k8s://service'],
    ['k8s://a/b/c', 'is no Service'],
    ['k8s://rag.ml', 'rag.ml is no name of a Service; write k8s://namespace/service:port'],
    ['k8s:///rag', 'nothing is no name of a namespace'],
    ['k8s://rag:Http', 'Http is no port; write its name or its number, as in k8s://service:http'],
    ['k8s://rag:70000', '70000 is no port'],
    ['http://a:1;http://b:1', 'http://a:1: one of several routes needs a name; write for example batched=http://a:1'],
    ['x=http://a:1;x=http://b:1', 'the route x is named twice'],
    ['Batched=http://a:1', 'Batched is no name of a route; write lower-case letters'],
    ['=http://a:1', 'nothing is no name of a route'],
    ['x*1001=http://a:1', 'the weight of a route is an integer from 0 to 1000; write x*10='],
    ['x*-1=http://a:1', 'x*-1: the weight of a route'],
    ['x*1*2=http://a:1', 'x*1*2: the weight of a route'],
    ['x*=http://a:1', 'x*: the weight of a route'],
    ['x=;y=http://a:1', 'the route x has no backend; write x=http://host:8000'],
    ['x*0=http://a:1', 'every route has the weight 0'],
    ['http://a:1,http://a:1?weight=2', 'a:1 is there twice in one route; write it once, with ?weight=2'],
  ])('refuses %j in words', (text, words) => {
    expect(() => parseBackends(text)).toThrow(words);
  });

  it.each([
    'http://me:hunter2@a:8000',
    'http://me:hun/ter2@a:8000',
    'x:hunter2@a',
    'https://me:hunter2@a:1',
    'http://me:hunter2@a:1;dns://b:1',
    'x=y=http://me:hunter2@a:1',
    'x*y=http://me:hunter2@a:1',
  ])('never repeats the password of %j', (text) => {
    const message = refusalOf(text);
    expect(message).not.toMatch(/hun|ter2/);
    expect(message).toContain('write');
  });

  it('says that credentials are not for it', () => {
    expect(refusalOf('http://me:hunter2@a:8000')).toBe(
      'http://***@a:8000: credentials are not supported; write it without what stands before the @',
    );
  });
});

function refusalOf(text: string): string {
  try {
    parseBackends(text);
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error('not refused');
}

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/);
const port = fc.integer({ min: 1, max: 65_535 });
const weight = fc.constantFrom(1, 2, 0.5, 1000);
const host = fc.oneof(
  label,
  fc.tuple(label, label).map((parts) => parts.join('.')),
  fc.ipV4(),
  fc.constantFrom('[::1]', '[fd00::12]'),
);
const source: fc.Arbitrary<SourceSpec> = fc.oneof(
  fc.record({ kind: fc.constant('static' as const), host, port, weight }),
  fc.record({ kind: fc.constant('dns' as const), host, port, weight }),
  fc.record({
    kind: fc.constant('kubernetes' as const),
    namespace: fc.option(label, { nil: undefined }),
    service: label,
    port: fc.oneof(port, label, fc.constant(undefined)),
    weight,
  }),
);
const routes: fc.Arbitrary<RouteSpec[]> = fc
  .uniqueArray(
    fc.record({
      name: label,
      weight: fc.integer({ min: 0, max: 1000 }),
      sources: fc.uniqueArray(source, { minLength: 1, maxLength: 4, selector: (one) => write({ ...one, weight: 1 }) }),
    }),
    { minLength: 1, maxLength: 4, selector: ({ name }) => name },
  )
  .filter((all) => all.some((route) => route.weight > 0));

function write(one: SourceSpec): string {
  const query = one.weight === 1 ? '' : `?weight=${one.weight}`;
  if (one.kind !== 'kubernetes') return `${one.kind === 'dns' ? 'dns' : 'http'}://${one.host}:${one.port}${query}`;
  const namespace = one.namespace === undefined ? '' : `${one.namespace}/`;
  return `k8s://${namespace}${one.service}${one.port === undefined ? '' : `:${one.port}`}${query}`;
}

describe('BACKENDS, whatever stands there', () => {
  it('means what was written', () => {
    fc.assert(
      fc.property(routes, fc.constantFrom('', ' ', '\n'), (all, space) => {
        const text = all
          .map(({ name, weight: share, sources }) => `${name}*${share}=${sources.map(write).join(`,${space}`)}`)
          .join(`;${space}`);
        expect(parseBackends(text)).toEqual(all);
      }),
    );
  });

  it('is understood or refused with an Error in words', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'http://',
        'k8s://',
        'dns://',
        'a',
        ':8000',
        '=',
        '*',
        ';',
        ',',
        '/',
        '?weight=',
        '1',
        '[',
        ']',
        '@',
        '%',
        '#',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          for (const { name, weight: share, sources } of parseBackends(pieces.join(''))) {
            expect(name).toMatch(/^[a-z0-9-]+$/);
            expect(Number.isInteger(share) && share >= 0 && share <= 1000).toBe(true);
            expect(sources.length).toBeGreaterThan(0);
            for (const one of sources) if (one.kind === 'static') new URL(`http://${one.host}:${one.port}`);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(error).not.toBeInstanceOf(TypeError);
          expect((error as Error).message).toMatch(/; write /);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
