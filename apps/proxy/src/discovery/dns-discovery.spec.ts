import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { HandClock, settled } from '../../../../test/support/hand-clock.ts';
import { DnsDiscovery, type NameResolver, resolveAddresses } from './dns-discovery.ts';

type Answer = readonly string[] | string;

/** An answer is a list of addresses, or the code of an error. */
class FakeResolver implements NameResolver {
  four: Answer = 'ENODATA';
  six: Answer = 'ENODATA';
  system: Answer = 'ENOTFOUND';
  asked = 0;

  async resolve4(): Promise<readonly string[]> {
    this.asked++;
    return answer(this.four);
  }
  async resolve6(): Promise<readonly string[]> {
    return answer(this.six);
  }
  async lookup(): Promise<readonly string[]> {
    return answer(this.system);
  }
}

function answer(given: Answer): readonly string[] {
  if (typeof given !== 'string') return given;
  throw Object.assign(new Error(`query ${given}`), { code: given });
}

function discovery(resolver: NameResolver) {
  const clock = new HandClock();
  const lines: string[] = [];
  const lists: string[][] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  const found = new DnsDiscovery({ host: 'rag', port: 8000, weight: 2 }, { logger, resolver, clock, random: () => 1 });
  const starting = found.start((list) => lists.push(list.map(({ id, weight }) => `${id}*${weight}`)));
  return { clock, lines, lists, found, starting };
}

describe('discovery by DNS', () => {
  it('follows the addresses of a name, sorted, every five seconds, and tells only changes', async () => {
    const resolver = new FakeResolver();
    resolver.four = ['10.0.0.2', '10.0.0.1'];
    const { clock, lists, starting, found } = discovery(resolver);
    await starting;
    expect(lists).toEqual([['10.0.0.1:8000*2', '10.0.0.2:8000*2']]);
    resolver.four = ['10.0.0.1', '10.0.0.2'];
    await clock.advance(5_000);
    expect(lists).toHaveLength(1);
    resolver.four = ['10.0.0.3'];
    await clock.advance(5_000);
    expect(lists.at(-1)).toEqual(['10.0.0.3:8000*2']);
    expect(resolver.asked).toBe(3);
    await found.stop();
  });

  it('finds nobody where the name has gone', async () => {
    const resolver = new FakeResolver();
    resolver.four = ['10.0.0.1'];
    const { clock, lists, starting, found, lines } = discovery(resolver);
    await starting;
    resolver.four = 'ENOTFOUND';
    resolver.six = 'ENOTFOUND';
    await clock.advance(5_000);
    expect(lists).toEqual([['10.0.0.1:8000*2'], []]);
    expect(lines).toEqual([]);
    await found.stop();
  });

  it.each(['ETIMEOUT', 'ESERVFAIL', 'ECONNREFUSED'])('keeps its list after %s, and says so once', async (code) => {
    const resolver = new FakeResolver();
    resolver.four = ['10.0.0.1'];
    const { clock, lists, starting, found, lines } = discovery(resolver);
    await starting;
    resolver.four = code;
    await clock.advance(60_000);
    expect(lists).toHaveLength(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('rag cannot be resolved: the endpoints found before are kept');
    resolver.four = ['10.0.0.2'];
    await clock.advance(5_000);
    expect(lines[1]).toContain('rag resolves again');
    expect(lists.at(-1)).toEqual(['10.0.0.2:8000*2']);
    resolver.four = code;
    await clock.advance(5_000);
    expect(lines).toHaveLength(3);
    await found.stop();
  });

  it('tries ever less often until it has resolved once', async () => {
    const resolver = new FakeResolver();
    resolver.four = 'ETIMEOUT';
    const { clock, lists, starting, found } = discovery(resolver);
    await clock.advance(100_000);
    expect(clock.pauses.slice(0, 7)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000]);
    expect(lists).toEqual([]);
    resolver.four = ['10.0.0.1'];
    await clock.advance(30_000);
    await starting;
    expect(lists).toHaveLength(1);
    await found.stop();
  });

  it('is silent after it was stopped, also in the middle of an answer', async () => {
    const late = Promise.withResolvers<readonly string[]>();
    const resolver = new FakeResolver();
    resolver.resolve4 = () => late.promise;
    const { lists, starting, found, clock } = discovery(resolver);
    await found.stop();
    await starting;
    late.resolve(['10.0.0.1']);
    await settled();
    expect(lists).toEqual([]);
    expect(clock.pauses).toEqual([]);
  });
});

describe('the addresses of a name', () => {
  const resolve = (set: Partial<FakeResolver>, host = 'rag') =>
    resolveAddresses(host, Object.assign(new FakeResolver(), set));

  it('are those of A records, or of AAAA records where there are no others', async () => {
    expect(await resolve({ four: ['10.0.0.1'], six: ['fd00::1'] })).toEqual(['10.0.0.1']);
    expect(await resolve({ six: ['fd00::1'] })).toEqual(['fd00::1']);
    expect(await resolve({ four: ['10.0.0.1'], six: 'ETIMEOUT' })).toEqual(['10.0.0.1']);
  });

  it('are not those of AAAA records when A records were only not heard of', async () => {
    await expect(resolve({ four: 'ETIMEOUT', six: ['fd00::1'] })).rejects.toThrow('ETIMEOUT');
  });

  it('are those of the operating system where DNS has none: /etc/hosts', async () => {
    expect(await resolve({ system: ['::1', '127.0.0.1'] })).toEqual(['127.0.0.1']);
    expect(await resolve({ four: 'ECONNREFUSED', six: 'ECONNREFUSED', system: ['::1'] })).toEqual(['::1']);
  });

  it('are unknown when the operating system does not know', async () => {
    await expect(resolve({ system: 'EAI_AGAIN' })).rejects.toThrow('EAI_AGAIN');
    expect(await resolve({ four: 'ENOTFOUND', six: 'ENOTFOUND' })).toEqual([]);
  });

  it('are an address itself', async () => {
    expect(await resolve({}, '10.0.0.9')).toEqual(['10.0.0.9']);
    expect(await resolve({}, '[fd00::9]')).toEqual(['fd00::9']);
  });
});

it('localhost resolves on a real machine', async () => {
  const lists: string[][] = [];
  const found = new DnsDiscovery({ host: 'localhost', port: 8000, weight: 1 }, { logger: pino({ level: 'silent' }) });
  await found.start((list) => lists.push(list.map(({ id }) => id)));
  await found.stop();
  expect(lists[0]?.[0]).toMatch(/^(127\.0\.0\.1|\[::1\]):8000$/);
});
