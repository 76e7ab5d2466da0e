import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HandClock, settled } from '../../../../test/support/hand-clock.ts';
import { refused } from '../../test/fake-api.ts';
import { FakeCollection } from '../../test/fake-collection.ts';
import type { Namespaces } from './namespaced-watch.ts';
import { type Pod, podSchema } from './pod-counts.ts';
import { Pods } from './pods.ts';
import { parseSelector } from './selector.ts';

let clock: HandClock;
/** By path. */
let collections: Map<string, FakeCollection<Pod>>;
let lines: string[];
let pods: Pods;

beforeEach(() => {
  clock = new HandClock();
  collections = new Map();
  lines = [];
});
afterEach(() => pods.stop());

function pod(name: string, namespace = 'rag'): Pod {
  const creationTimestamp = '2026-11-22T10:00:00Z';
  return podSchema.parse({
    metadata: { name, namespace, resourceVersion: '1', creationTimestamp, labels: { app: name } },
  });
}

/** @param failures by namespace; @returns when it has started what needs no time */
async function opened(namespaces: Namespaces, items: readonly Pod[], failures: Record<string, Error> = {}) {
  pods = new Pods({
    config: new KubeConfig(),
    namespaces,
    logger: pino({}, { write: (line: string) => lines.push((JSON.parse(line) as { msg: string }).msg) }),
    clock,
    random: () => 1,
    openCollection: (path) => {
      const collection = new FakeCollection<Pod>();
      const namespace = /namespaces\/([^/]+)/.exec(path)?.[1];
      collection.items = items.filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
      collection.failure = failures[namespace ?? ''];
      collections.set(path, collection);
      return collection;
    },
  });
  let isStarted = false;
  void pods.start().then(() => {
    isStarted = true;
  });
  await settled();
  return { isStarted: () => isStarted };
}

const named = (name: string, namespace = 'rag') =>
  pods.matching(namespace, parseSelector(`app=${name}`)).map(({ metadata }) => metadata.name);

describe('Pods', () => {
  it('are those that the selector means, of one namespace', async () => {
    const { isStarted } = await opened(['rag', 'other'], [pod('a'), pod('b'), pod('a', 'other')]);
    expect(isStarted()).toBe(true);
    expect([...collections.keys()]).toEqual(['/api/v1/namespaces/rag/pods', '/api/v1/namespaces/other/pods']);
    expect(named('a')).toEqual(['a']);
    expect(named('b', 'other')).toEqual([]);
  });

  it('of every namespace are watched at once, and told apart', async () => {
    await opened('all', [pod('a'), pod('a', 'other'), pod('b', 'other')]);
    expect([...collections.keys()]).toEqual(['/api/v1/pods']);
    expect(named('a')).toEqual(['a']);
    expect(named('b', 'other')).toEqual(['b']);
  });

  it('are not known before the first list', async () => {
    const { isStarted } = await opened(['rag'], [], { rag: new Error('no answer') });
    expect(isStarted()).toBe(false);
    expect(() => named('a')).toThrow(
      'the pods of the target are not known: pods cannot be watched in the namespace rag',
    );
  });

  it('of one namespace do not wait for another without its Role', async () => {
    const { isStarted } = await opened(['rag', 'other'], [pod('a')], { other: refused(403) });
    expect(isStarted()).toBe(true);
    expect(named('a')).toEqual(['a']);
    expect(() => named('a', 'other')).toThrow('list and watch on pods (API group "") in the namespace other');
    expect(lines).toHaveLength(1);
  });

  it('are believed for a minute after the watch broke, and known again with the next list', async () => {
    await opened(['rag'], [pod('a')]);
    const [collection] = collections.values();
    collection?.fail(new Error('gone'));
    await clock.advance(59_000);
    expect(named('a')).toEqual(['a']);
    await clock.advance(2_000);
    expect(() => named('a')).toThrow('the pods of the target are not known');
    if (collection) [collection.failure, collection.items] = [undefined, [pod('b')]];
    await clock.advance(30_000);
    expect(named('b')).toEqual(['b']);
    expect(lines.at(-1)).toBe('the API server answers again');
  });
});
