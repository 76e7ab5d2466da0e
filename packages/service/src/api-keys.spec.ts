import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newApiKey, parseApiKeys, renderKeyLine } from './api-keys.ts';

const [one, two, three] = [newApiKey(), newApiKey(), newApiKey()];

describe('a new key', () => {
  it('is 32 random bytes, and its hash is all that has to be kept', () => {
    expect(one.key).toMatch(/^rs_[A-Za-z0-9_-]{43}$/);
    expect(one.hash).toBe(`sha256:${createHash('sha256').update(one.key).digest('hex')}`);
    expect(one.key).not.toBe(two.key);
  });

  it('has a line that reads back as it was meant', () => {
    const holder = { name: 'a', ratePerSecond: 0.5, burst: 3 };
    expect(parseApiKeys(renderKeyLine(holder, one.hash)).find(`Bearer ${one.key}`)).toEqual(holder);
  });
});

describe('a file of keys', () => {
  const keys = parseApiKeys(
    [
      '# who may ask',
      '',
      `team-a ${one.hash} rate=20 burst=40   # the old one`,
      `team-a ${two.hash.toUpperCase().replace('SHA256', 'sha256')}`,
      `\tteam.b  ${three.hash}\r`,
    ].join('\n'),
  );

  it('gives a name the same rate for all its keys', () => {
    const holder = keys.find(`Bearer ${one.key}`);
    expect(holder).toEqual({ name: 'team-a', ratePerSecond: 20, burst: 40 });
    expect(keys.find(`Bearer ${two.key}`)).toBe(holder);
    expect(keys.find(`Bearer ${three.key}`)).toEqual({ name: 'team.b' });
    expect([keys.size, [...keys.names]]).toEqual([3, ['team-a', 'team.b']]);
  });

  it.each(['bearer', 'BEARER', 'Bearer '])('knows the scheme as %j', (scheme) => {
    expect(keys.find(`${scheme} ${three.key}`)?.name).toBe('team.b');
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    three.key,
    `Basic ${three.key}`,
    `Bearer${three.key}`,
    `Bearer ${three.key}x`,
    `Bearer ${three.key} ${three.key}`,
    `Bearer ${three.hash}`,
    `Bearer ${three.hash.slice('sha256:'.length)}`,
    `Bearer ${'x'.repeat(100_000)}`,
  ])('finds nobody for %j', (authorization) => {
    expect(keys.find(authorization)).toBeUndefined();
  });

  it('hashes keys of up to 512 bytes', () => {
    const long = (length: number) => 'k'.repeat(length);
    const digests = [512, 513].map((length) => createHash('sha256').update(long(length)).digest('hex'));
    const both = parseApiKeys(digests.map((digest, index) => `n${index} sha256:${digest}`).join('\n'));
    expect([512, 513].map((length) => both.find(`Bearer ${long(length)}`)?.name)).toEqual(['n0', undefined]);
  });

  it('may hold no key at all: then nobody may ask', () => {
    expect(parseApiKeys('# none\n').size).toBe(0);
  });
});

describe('a bad file', () => {
  const hex = one.hash;
  it.each([
    ['no hash', 'secret', /^line 3: write NAME sha256:HEX/],
    ['a key instead of a line', two.key, /^line 3: a key itself must not stand here/],
    ['a key instead of its hash', `a ${two.key}`, /^line 3: a key itself must not stand here/],
    ['a hash that is too short', 'a sha256:5ec2e7', /^line 3: write .* with 64 hexadecimal digits/],
    ['another hash', `a md5:${'0'.repeat(64)}`, /64 hexadecimal digits/],
    ['a name of other letters', `sécret ${hex}`, /letters, digits, dots/],
    ['a rate of 0', `a ${hex} rate=0`, /rate= and a number over 0/],
    ['a rate that is none', `a ${hex} rate=secret`, /rate= and a number over 0/],
    ['two rates', `a ${hex} rate=1 rate=2`, /at most once/],
    ['a burst that is not whole', `a ${hex} rate=1 burst=1.5`, /whole number from 1/],
    ['a burst alone', `a ${hex} burst=2`, /only beside rate=/],
    ['a word that it does not know', `a ${hex} secret`, /after the hash write/],
    ['the same hash twice', `a ${hex}\nb ${hex}`, /^line 4: another line has this hash/],
    ['two rates of a name', `a ${hex} rate=1\na ${two.hash} rate=2`, /^line 4: .* another rate or burst/],
  ])('with %s is refused by line, without repeating it', (_, text, message) => {
    const parse = () => parseApiKeys(`# first\n\n${text}`);
    expect(parse).toThrow(message);
    expect(parse).not.toThrow(/secret|5ec2e7|sécret/);
    expect(parse).not.toThrow(new RegExp([one, two].flatMap(({ key, hash }) => [key, hash.slice(7)]).join('|')));
  });
});
