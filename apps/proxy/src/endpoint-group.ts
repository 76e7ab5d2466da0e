/** The pods of one route: who may be chosen, who is, and whether it is worth to wait for one. */
import { failsOpen } from '@ragscale/balancing/fail-open';
import type { EndpointState } from '@ragscale/balancing/health';
import type { Policy } from '@ragscale/balancing/policy';
import { pickSticky } from '@ragscale/balancing/sticky';
import type { FoundEndpoint } from './discovery/discovery.ts';
import { Endpoint, type EndpointSettings } from './endpoint.ts';

export interface GroupParts {
  readonly policy: Policy;
  readonly settings: EndpointSettings;
  /** Share of the pods that must be able, else those that only may be bad are used as well. */
  readonly failOpenBelow: number;
  readonly random: () => number;
  readonly onAdded: (endpoint: Endpoint) => void;
  readonly onRemoved: (endpoint: Endpoint) => void;
}

export class EndpointGroup {
  readonly #parts: GroupParts;
  /** In the order of their ids. */
  #endpoints: readonly Endpoint[] = [];
  #local: readonly Endpoint[] = [];
  /** Known no longer, and still with requests: their pods can be found again meanwhile. */
  #lost: readonly Endpoint[] = [];
  #forlorn = false;

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /** Takes over what discovery found. To be refreshed then. */
  update(found: readonly FoundEndpoint[]): void {
    const known = new Map(this.#endpoints.map((endpoint) => [endpoint.id, endpoint]));
    const added: Endpoint[] = [];
    this.#endpoints = found
      .map((each) => {
        const endpoint = known.get(each.id);
        known.delete(each.id);
        endpoint?.rediscovered(each);
        if (endpoint !== undefined) return endpoint;
        const before = this.#lost.findLast(({ id }) => id === each.id);
        const fresh = new Endpoint(each, this.#parts.settings, before);
        added.push(fresh);
        return fresh;
      })
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#local = this.#endpoints.filter(({ local }) => local);
    for (const gone of known.values()) {
      gone.retire();
      this.#parts.onRemoved(gone);
    }
    this.#lost = [...this.#lost, ...known.values()].filter(({ inFlight }) => inFlight > 0);
    for (const endpoint of added) this.#parts.onAdded(endpoint);
  }

  /** Finds out who may be chosen. To be called when something has changed and, since states end with time, every now and then. */
  refresh(now: number): void {
    const states = this.#endpoints.map((endpoint) => endpoint.stateAt(now));
    const able = states.filter((state) => state === 'healthy').length;
    const possible = states.filter((state) => state !== 'starting' && state !== 'draining').length;
    const opens = failsOpen(able, possible, this.#parts.failOpenBelow);
    for (const endpoint of this.#endpoints) endpoint.refresh(now, opens);
    // A pause ends by itself, and a pod that starts will be able.
    const hope = (endpoint: Endpoint, index: number): boolean =>
      states[index] === 'healthy' || states[index] === 'starting' || (opens && endpoint.mayFailOpenAt(now));
    this.#forlorn = possible > 0 && !this.#endpoints.some(hope);
  }

  /**
   * There are pods that should be able, and not one is, or will be soon. Where there are none at all, or only such as were told to leave,
   * the target is scaled to zero, and there is hope: one is on its way.
   */
  get forlorn(): boolean {
    return this.#forlorn;
  }

  /** So it is, and not one of them is being asked whether it is back. */
  get hopeless(): boolean {
    return this.#forlorn && !this.#endpoints.some(({ isAsked }) => isAsked);
  }

  /** Requests that could be given away now. */
  get free(): number {
    let free = 0;
    for (const { usable, cap, inFlight } of this.#endpoints) if (usable && cap > inFlight) free += cap - inFlight;
    return free;
  }

  /**
   * Who gets the request; undefined where it has to wait.
   * @param key of a client that wants the same pod again
   * @param tried those that it was with already: taken again only where there is nobody else to wait for
   */
  pick(key: string | undefined, tried: readonly Endpoint[]): Endpoint | undefined {
    if (tried.length === 0) {
      const local = this.#local.length < this.#endpoints.length ? this.#pickOf(this.#local, key) : undefined;
      return local ?? this.#pickOf(this.#endpoints, key);
    }
    const untried = this.#endpoints.filter((endpoint) => !tried.includes(endpoint));
    return this.#pickOf(untried.some(({ able, usable }) => able || usable) ? untried : this.#endpoints, key);
  }

  /** Whether there is an able pod, full or not, that is none of these. */
  hasOther(tried: readonly Endpoint[]): boolean {
    return this.#endpoints.some((endpoint) => endpoint.able && !tried.includes(endpoint));
  }

  /** Pods by state, for the gauge. */
  countStates(now: number): Record<EndpointState, number> {
    const counts = { starting: 0, healthy: 0, unhealthy: 0, ejected: 0, draining: 0 };
    for (const endpoint of this.#endpoints) counts[endpoint.stateAt(now)] += 1;
    return counts;
  }

  #pickOf(endpoints: readonly Endpoint[], key: string | undefined): Endpoint | undefined {
    if (key !== undefined) return pickSticky(endpoints, key);
    return this.#parts.policy.pick(endpoints, this.#parts.random);
  }
}
