import { describe, expect, it } from 'vitest';
import { addReady, fakeGroup, occupy } from '../test/fake-group.ts';
import { foundEndpoint } from './discovery/found-endpoints.ts';

const found = (...names: string[]) => names.map((name) => foundEndpoint(name, 8_000));

describe('the pods of a route', () => {
  it('come and go by their ids, and those that stay keep what is known of them', () => {
    const { group, added, removed } = fakeGroup();
    const [a] = addReady(group, ['a', 'b'], 0);
    group.update(found('c', 'a'));
    group.refresh(0);
    expect(group.endpoints.map(({ id }) => id)).toEqual(['a:8000', 'c:8000']);
    expect(group.endpoints[0]).toBe(a);
    expect(added).toEqual(['a:8000', 'b:8000', 'c:8000']);
    expect(removed).toEqual(['b:8000']);
    expect(group.countStates(0)).toEqual({ starting: 1, healthy: 1, unhealthy: 0, ejected: 0, draining: 0 });
  });

  it('are not chosen until a probe has found them ready', () => {
    const { group } = fakeGroup();
    group.update(found('a'));
    group.refresh(0);
    expect(group.pick(undefined, [])).toBeUndefined();
    group.endpoints[0]!.health.probed('ready', 1);
    group.refresh(1);
    expect(group.pick(undefined, [])?.id).toBe('a:8000');
  });

  it('are not chosen when full, and their room is counted', () => {
    const { group } = fakeGroup({ concurrency: 2 });
    const [a, b] = addReady(group, ['a', 'b'], 0);
    expect(group.free).toBe(4);
    const first = occupy(a!, 0);
    occupy(a!, 0);
    expect(group.free).toBe(2);
    expect(group.pick(undefined, [])).toBe(b);
    expect(group.pick(undefined, [])).toBe(b);
    first.release();
    expect(group.free).toBe(3);
  });

  it('that have gone are not chosen, and have no room', () => {
    const { group } = fakeGroup();
    const [a] = addReady(group, ['a'], 0);
    group.update([]);
    group.refresh(0);
    expect(a!.available).toBe(false);
    expect(group.free).toBe(0);
  });

  it('that terminate or are not ready in the eyes of their source are not chosen', () => {
    const { group } = fakeGroup();
    addReady(group, ['a', 'b', 'c'], 0);
    group.update([
      foundEndpoint('a', 8_000, { condition: 'terminating' }),
      foundEndpoint('b', 8_000, { condition: 'not-ready' }),
      foundEndpoint('c', 8_000),
    ]);
    group.refresh(1);
    expect(group.countStates(1)).toMatchObject({ draining: 1, unhealthy: 1, healthy: 1 });
    expect(group.pick(undefined, [])?.id).toBe('c:8000');
    expect(group.free).toBe(1);
  });

  it('nearby are preferred while they have room', () => {
    const { group } = fakeGroup();
    group.update([foundEndpoint('a', 8_000, { local: false }), foundEndpoint('b', 8_000)]);
    for (const { health } of group.endpoints) health.probed('ready', 0);
    group.refresh(0);
    const [a, b] = group.endpoints;
    expect(group.pick(undefined, [])).toBe(b);
    expect(group.pick(undefined, [])).toBe(b);
    occupy(b!, 0);
    expect(group.pick(undefined, [])).toBe(a);
  });
});

describe('a request that was with a pod', () => {
  it('goes to another, and waits for that if it is full or paused', () => {
    const { group } = fakeGroup();
    const [a, b] = addReady(group, ['a', 'b'], 0);
    expect(group.pick(undefined, [a!])).toBe(b);
    expect(group.hasOther([a!])).toBe(true);
    const held = occupy(b!, 0);
    expect(group.pick(undefined, [a!])).toBeUndefined();
    held.release();
    b!.refusedFor(1, 0);
    group.refresh(1);
    expect(group.pick(undefined, [a!])).toBeUndefined();
    group.refresh(1_000);
    expect(group.pick(undefined, [a!])).toBe(b);
  });

  it('goes to the same where there is no other to wait for', () => {
    const { group } = fakeGroup();
    const [a, b] = addReady(group, ['a', 'b'], 0);
    b!.health.probed('refused', 1);
    group.refresh(1);
    expect(group.pick(undefined, [a!])).toBe(a);
    expect(group.hasOther([a!])).toBe(false);
    expect(group.pick(undefined, [a!, b!])).toBe(a);
  });
});

describe('a pause', () => {
  it('is as long as the pod says, a second at most, and takes no hope', () => {
    const { group } = fakeGroup();
    const [a] = addReady(group, ['a'], 0);
    a!.refusedFor(0.5, 0);
    group.refresh(499);
    expect([group.free, group.hopeless]).toEqual([0, false]);
    group.refresh(500);
    expect(group.free).toBe(1);
    a!.refusedFor(60, 500);
    group.refresh(1_499);
    expect(group.free).toBe(0);
    group.refresh(1_500);
    expect(group.free).toBe(1);
  });
});

describe('hope', () => {
  it('there is with no pods, and with one that starts', () => {
    const { group } = fakeGroup();
    group.refresh(0);
    expect(group.hopeless).toBe(false);
    const [a] = addReady(group, ['a'], 0);
    a!.health.probed('refused', 1);
    group.refresh(1);
    expect(group.hopeless).toBe(true);
    group.update(found('a', 'b'));
    group.refresh(1);
    expect(group.hopeless).toBe(false);
  });

  it('there is with a new pod that our probe found ready before its source did, and with one that is started anew', () => {
    const { group } = fakeGroup();
    const source = (condition: 'ready' | 'not-ready') => group.update([foundEndpoint('a', 8_000, { condition })]);
    source('not-ready');
    const [a] = group.endpoints;
    const at = (now: number) => {
      group.refresh(now);
      return [a!.stateAt(now), group.hopeless, group.free > 0];
    };
    const waiting = ['starting', false, false];
    const ready = ['healthy', false, true];
    a!.health.probed('refused', 0);
    expect(at(0)).toEqual(waiting);
    a!.health.probed('ready', 1);
    expect(at(1)).toEqual(waiting);
    source('ready');
    expect(at(2)).toEqual(ready);
    source('not-ready');
    expect(at(3)).toEqual(['unhealthy', true, false]);
    a!.health.probed('refused', 4);
    expect(at(4)).toEqual(waiting);
    a!.health.probed('ready', 5);
    expect(at(5)).toEqual(waiting);
    source('ready');
    expect(at(6)).toEqual(ready);
  });

  it('there is while a pod that was out is asked again', () => {
    const { group } = fakeGroup();
    const [a] = addReady(group, ['a'], 0);
    a!.health.probed('refused', 1);
    group.refresh(1);
    a!.isAsked = true;
    expect([group.forlorn, group.hopeless]).toEqual([true, false]);
    a!.isAsked = false;
    expect([group.forlorn, group.hopeless]).toEqual([true, true]);
  });

  it('there is where pods that only seem bad are used as well, and none where they are not', () => {
    for (const [failOpenBelow, hopeless] of [
      [0.5, false],
      [0, true],
    ] as const) {
      const { group } = fakeGroup({ failOpenBelow });
      const [a] = addReady(group, ['a'], 0);
      a!.health.probed('silent', 1);
      group.refresh(1);
      expect(group.hopeless).toBe(hopeless);
      expect(group.free).toBe(hopeless ? 0 : 1);
      expect(a!.able).toBe(false);
    }
  });
});
