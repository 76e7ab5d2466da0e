import { beforeEach, describe, expect, it } from 'vitest';
import { HandClock } from '../../../../test/support/hand-clock.ts';
import { type Asked, FakeApi, refused } from '../../test/fake-api.ts';
import { applyDefinition, readDefinition } from './custom-resource-definition.ts';

const AT = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.x.dev', labels: { a: 'b' } },
  spec: { group: 'x.dev', names: { kind: 'Thing', plural: 'things', shortNames: ['t'] }, versions: [{ name: 'v1' }] },
} as const;

let api: FakeApi;
let clock: HandClock;

beforeEach(() => {
  api = new FakeApi();
  clock = new HandClock();
});

const apply = () => applyDefinition(api, readDefinition(JSON.stringify(DEFINITION)), clock);
const having = (type: string, status: string, message?: string) => ({
  status: { conditions: [{ type, status, message }] },
});

describe('a definition of a resource', () => {
  it('becomes as in the file, and what the file leaves out goes', async () => {
    api.answer = () => having('Established', 'True');
    await apply();
    const names = { categories: null, listKind: null, singular: null, ...DEFINITION.spec.names };
    const spec = { conversion: null, preserveUnknownFields: null, ...DEFINITION.spec, names };
    expect(api.asked).toEqual([
      { method: 'PATCH', path: `${AT}/things.x.dev`, body: { metadata: DEFINITION.metadata, spec } },
    ]);
  });

  it('is made where it is missing, and waited for', async () => {
    api.answer = ({ method }: Asked) => {
      if (method === 'PATCH') throw refused(404);
      return api.asked.length < 4 ? { status: { conditions: null } } : having('Established', 'True');
    };
    const done = apply();
    await clock.advance(10_000);
    await done;
    expect(api.requests).toEqual([
      `PATCH ${AT}/things.x.dev`,
      `POST ${AT}`,
      `GET ${AT}/things.x.dev`,
      `GET ${AT}/things.x.dev`,
    ]);
    expect(api.asked[1]?.body).toEqual(DEFINITION);
  });

  it('is not made where the server refuses for another reason', async () => {
    api.answer = () => {
      throw refused(403, 'cannot patch resource');
    };
    await expect(apply()).rejects.toThrow('cannot patch resource');
    expect(api.asked).toHaveLength(1);
  });

  it('may have names that are taken', async () => {
    api.answer = () => having('NamesAccepted', 'False', '"t" is already in use');
    await expect(apply()).rejects.toThrow('the names of things.x.dev are taken: "t" is already in use');
  });

  it('is not waited for without end', async () => {
    api.answer = () => having('Established', 'False');
    const done = apply();
    const refusedInWords = expect(done).rejects.toThrow('things.x.dev is not established after 60 s');
    await clock.advance(61_000);
    await refusedInWords;
  });

  it.each([
    ['kind: CustomResourceDefinition', 'not JSON: '],
    ['{"kind": "Pod"}', 'not a CustomResourceDefinition: '],
    [JSON.stringify({ ...DEFINITION, metadata: {} }), 'metadata.name'],
  ])('is none: %s', (text, words) => {
    expect(() => readDefinition(text)).toThrow(words);
  });
});
