import { describe, expect, it } from 'vitest';
import { settled } from '../../../../test/support/hand-clock.ts';
import { CombinedDiscovery } from './combined-discovery.ts';
import type { Discovery, FoundEndpoint } from './discovery.ts';
import { foundEndpoint } from './found-endpoints.ts';
import { StaticDiscovery } from './static-discovery.ts';

/** Finds what the test says. */
class FakeDiscovery implements Discovery {
  find: (found: readonly FoundEndpoint[]) => void = () => undefined;
  stopped = false;

  start(onChange: (found: readonly FoundEndpoint[]) => void): Promise<void> {
    return new Promise((resolve) => {
      this.find = (found) => {
        onChange(found);
        resolve();
      };
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
  }
}

function combined(...sources: readonly Discovery[]) {
  const discovery = new CombinedDiscovery(sources);
  const lists: string[][] = [];
  let isStarted = false;
  void discovery
    .start((found) => lists.push(found.map(({ id, condition }) => `${id} ${condition}`)))
    .then(() => {
      isStarted = true;
    });
  return { discovery, lists, isStarted: () => isStarted };
}

const a = foundEndpoint('a', 1);
const b = foundEndpoint('b', 1);

describe('several sources', () => {
  it('are one list, in the order of ids, told when it changes', async () => {
    const source = new FakeDiscovery();
    const { lists } = combined(source, new StaticDiscovery([b]));
    source.find([a]);
    source.find([a]);
    source.find([]);
    expect(lists).toEqual([['b:1 ready'], ['a:1 ready', 'b:1 ready'], ['b:1 ready']]);
  });

  it('do not wait for one that cannot be reached', async () => {
    const { lists, isStarted } = combined(new FakeDiscovery(), new StaticDiscovery([b]));
    await settled();
    expect(lists).toEqual([['b:1 ready']]);
    expect(isStarted()).toBe(true);
  });

  it('call nothing empty before each was asked', async () => {
    const [one, other] = [new FakeDiscovery(), new FakeDiscovery()];
    const { lists, isStarted } = combined(one, other);
    one.find([]);
    await settled();
    expect([lists, isStarted()]).toEqual([[], false]);
    other.find([]);
    await settled();
    expect([lists, isStarted()]).toEqual([[[]], true]);
  });

  it('may know the same endpoint: the one that calls it ready wins', () => {
    const [one, other] = [new FakeDiscovery(), new FakeDiscovery()];
    const { lists } = combined(one, other);
    one.find([{ ...a, condition: 'not-ready' }]);
    other.find([a]);
    expect(lists).toEqual([['a:1 not-ready'], ['a:1 ready']]);
  });

  it('may be none', async () => {
    const { lists, isStarted } = combined();
    await settled();
    expect([lists, isStarted()]).toEqual([[[]], true]);
  });

  it('are silent after they were stopped, and nobody waits for them', async () => {
    const source = new FakeDiscovery();
    const { discovery, lists, isStarted } = combined(source);
    await discovery.stop();
    source.find([a]);
    await settled();
    expect([source.stopped, lists, isStarted()]).toEqual([true, [], true]);
  });
});
