import { RecentQuantile } from '@ragscale/balancing/recent-quantile';
import { RetryBudget } from '@ragscale/balancing/retry-budget';
import type { Refusal, Ticket } from '@ragscale/service/admission-queue';
import { describe, expect, it } from 'vitest';
import { addReady, fakeGroup, occupy } from '../test/fake-group.ts';
import type { Attempt } from './attempt.ts';
import type { Endpoint } from './endpoint.ts';
import type { EndpointGroup } from './endpoint-group.ts';
import { Route, type Waiter } from './route.ts';

function routeOf(group: EndpointGroup, requests = 100): Route {
  return new Route({
    name: 'default',
    weight: 1,
    group,
    limits: { requests, tokens: 1_000, objectiveMs: Number.POSITIVE_INFINITY, refusesEarly: true },
    retries: new RetryBudget(),
    hedges: new RetryBudget(),
    beginnings: new RecentQuantile(),
  });
}

/** A request that writes down what happens to it, and takes room at its pod. */
class Request implements Waiter {
  readonly stickyKey = undefined;
  readonly tried: Endpoint[] = [];
  readonly name: string;
  readonly #events: string[];
  attempt: Attempt | undefined;
  ticket: Ticket<Waiter> | undefined;

  constructor(name: string, events: string[]) {
    this.name = name;
    this.#events = events;
  }

  enter(route: Route, { bytes = 1, deadlineAt = 1e9, now = 0 } = {}): Refusal['reason'] | undefined {
    const entered = route.enter(this, bytes, deadlineAt, now);
    if ('reason' in entered) return entered.reason;
    this.ticket = entered;
    route.pump(now);
    return undefined;
  }

  assigned(endpoint: Endpoint): void {
    this.#events.push(`${this.name} ${endpoint.id.split(':')[0]}`);
    this.tried.push(endpoint);
    this.attempt = occupy(endpoint, 0);
  }

  late(): void {
    this.#events.push(`${this.name} late`);
  }

  hopeless(): void {
    this.#events.push(`${this.name} hopeless`);
  }

  end(route: Route, how: 'done' | 'gone', now = 1): void {
    route.leave(this.ticket!, how, now);
    this.attempt?.release();
    route.pump(now);
  }
}

function setUp(pods: readonly string[], requests?: number) {
  const { group } = fakeGroup();
  addReady(group, pods, 0);
  const events: string[] = [];
  const route = routeOf(group, requests);
  return { group, route, events, request: (name: string) => new Request(name, events) };
}

describe('a route', () => {
  it('gives pods to those who come first, as far as there is room', () => {
    const { route, events, request } = setUp(['a', 'b']);
    const all = ['1', '2', '3', '4'].map(request);
    for (const each of all) expect(each.enter(route)).toBeUndefined();
    expect(events).toEqual(['1 a', '2 b']);
    expect([route.waiting, route.inFlight]).toEqual([2, 2]);
    all[1]!.end(route, 'done');
    all[0]!.end(route, 'done');
    expect(events.slice(2)).toEqual(['3 b', '4 a']);
    all[2]!.end(route, 'done');
    all[3]!.end(route, 'done');
    expect([route.waiting, route.inFlight]).toEqual([0, 0]);
  });

  it('refuses what is over its limits', () => {
    const { route, request } = setUp(['a'], 2);
    const all = ['1', '2', '3', '4'].map(request);
    expect(all.map((each) => each.enter(route, { bytes: 600 }))).toEqual([undefined, undefined, 'tokens', 'tokens']);
    expect(request('5').enter(route, { bytes: 1 })).toBeUndefined();
    expect(request('6').enter(route, { bytes: 1 })).toBe('requests');
    expect(route.waiting).toBe(2);
  });

  it('forgets who leaves, wherever it is', () => {
    const { route, events, request } = setUp(['a']);
    const [one, two, three] = ['1', '2', '3'].map(request);
    for (const each of [one!, two!, three!]) each.enter(route);
    two!.end(route, 'gone');
    two!.end(route, 'gone');
    expect(route.waiting).toBe(1);
    one!.end(route, 'gone');
    expect(events).toEqual(['1 a', '3 a']);
    three!.end(route, 'done');
    expect([route.waiting, route.inFlight]).toEqual([0, 0]);
  });

  it('tells those whose turn comes too late', () => {
    const { route, events, request } = setUp(['a']);
    const [one, two, three] = ['1', '2', '3'].map(request);
    one!.enter(route);
    two!.enter(route, { deadlineAt: 5 });
    three!.enter(route);
    one!.end(route, 'done', 10);
    expect(events).toEqual(['1 a', '2 late', '3 a']);
    expect([route.waiting, route.inFlight]).toEqual([0, 1]);
  });

  it('gives those who want another pod that one before anybody else', () => {
    const { route, events, request } = setUp(['a', 'b']);
    const [one, two, three] = ['1', '2', '3'].map(request);
    for (const each of [one!, two!, three!]) each.enter(route);
    // The pod a has failed the first; nobody else gets b before it does.
    one!.attempt!.release();
    route.again(one!);
    route.pump(1);
    expect(events).toEqual(['1 a', '2 b', '3 a']);
    expect([route.waiting, route.inFlight]).toEqual([1, 2]);
    two!.end(route, 'done');
    expect(events.at(-1)).toBe('1 b');
    one!.end(route, 'done');
    three!.end(route, 'done');
    expect([route.waiting, route.inFlight]).toEqual([0, 0]);
  });

  it('sends all away when there is nobody to wait for, and holds them when there are no pods at all', () => {
    const { group, route, events, request } = setUp(['a']);
    const [one, two, three] = ['1', '2', '3'].map(request);
    for (const each of [one!, two!]) each.enter(route);
    group.endpoints[0]!.health.probed('refused', 1);
    group.refresh(1);
    route.pump(1);
    expect(events).toEqual(['1 a', '2 hopeless']);
    two!.end(route, 'gone');
    one!.end(route, 'gone');
    group.update([]);
    group.refresh(2);
    three!.enter(route);
    expect([route.waiting, events.length]).toEqual([1, 2]);
    addReady(group, ['b'], 3);
    route.pump(3);
    expect(events.at(-1)).toBe('3 b');
  });

  it('goes on after a turn that ends at once, or throws', () => {
    const { route, events, request } = setUp(['a']);
    const hasty = request('1');
    hasty.assigned = () => {
      events.push('1 at once');
      route.leave(hasty.ticket!, 'gone', 0);
      route.pump(0);
    };
    hasty.enter(route);
    const faulty = request('2');
    faulty.assigned = () => {
      throw new Error('a fault');
    };
    expect(() => faulty.enter(route)).toThrow('a fault');
    route.leave(faulty.ticket!, 'gone', 0);
    request('3').enter(route);
    expect(events).toEqual(['1 at once', '3 a']);
  });
});
