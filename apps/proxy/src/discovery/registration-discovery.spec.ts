import { describe, expect, it } from 'vitest';
import { RegistrationDiscovery } from './registration-discovery.ts';

async function started() {
  const registration = new RegistrationDiscovery();
  const lists: string[][] = [];
  await registration.start((found) => lists.push(found.map(({ id }) => id)));
  return { registration, lists };
}

describe('registration', () => {
  it('begins empty, and tells who comes and goes', async () => {
    const { registration, lists } = await started();
    expect(registration.register('http://b:8000')).toBe(true);
    expect(registration.register('http://a:8000/')).toBe(true);
    expect(registration.unregister('http://b:8000')).toBe(true);
    expect(lists).toEqual([[], ['b:8000'], ['a:8000', 'b:8000'], ['a:8000']]);
    expect(registration.list()).toEqual(['http://a:8000']);
  });

  it('may be repeated', async () => {
    const { registration, lists } = await started();
    registration.register('http://a:8000');
    expect(registration.register('HTTP://A:8000/')).toBe(false);
    expect(registration.unregister('http://b:8000')).toBe(false);
    expect(lists).toEqual([[], ['a:8000']]);
  });

  it('remembers who came before it was started, and is silent after it was stopped', async () => {
    const registration = new RegistrationDiscovery();
    registration.register('http://a:8000');
    const lists: number[] = [];
    await registration.start((found) => lists.push(found.length));
    await registration.stop();
    registration.register('http://b:8000');
    expect(lists).toEqual([1]);
  });

  it('takes 256 and no more', () => {
    const registration = new RegistrationDiscovery();
    for (let i = 0; i < 256; i++) registration.register(`http://pod-${i}:8000`);
    expect(() => registration.register('http://one-more:8000')).toThrow(expect.objectContaining({ reason: 'full' }));
    expect(registration.register('http://pod-1:8000')).toBe(false);
    registration.unregister('http://pod-1:8000');
    expect(registration.register('http://one-more:8000')).toBe(true);
  });

  it.each([
    '',
    'a:8000',
    'https://a:8000',
    'http://a',
    'http://a:8000/x',
    'dns://a:1',
    'http://a:1?weight=2',
    'http://u:p@a:1',
  ])('refuses %j', (url) => {
    const registration = new RegistrationDiscovery();
    expect(() => registration.register(url)).toThrow(expect.objectContaining({ reason: 'invalid' }));
    expect(() => registration.unregister(url)).toThrow(expect.objectContaining({ reason: 'invalid' }));
  });
});
