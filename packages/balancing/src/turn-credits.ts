/** Which turns of a round does an endpoint take whose weight is below the largest? As many as its share of the largest. */
import type { EndpointView } from './endpoint-view.ts';

/** Ten times a tenth is a little less than one, and still a turn. */
const ROUNDING = 1e-9;

/** More than a group is likely to have, and little to keep. */
const MAX_ABSENT = 256;

/**
 * Each turn adds the share to an endpoint's credit, and a whole credit is a turn taken: the deficit round robin of Shreedhar and
 * Varghese (SIGCOMM 1995) with requests of one size. Credits stay below 1, so whatever the weights did before, an endpoint
 * is never more than one turn ahead or behind.
 */
export class TurnCredits {
  readonly #credits = new Map<string, number>();

  /** Endpoints of which a credit is kept. */
  get size(): number {
    return this.#credits.size;
  }

  /**
   * Whether the endpoint takes the turn that it is offered.
   * @param share its weight by the largest; those with the largest take every turn
   */
  takesTurn(id: string, share: number): boolean {
    if (share >= 1) {
      if (this.#credits.size > 0) this.#credits.delete(id);
      return true;
    }
    const credit = (this.#credits.get(id) ?? 0) + share;
    const takes = credit >= 1 - ROUNDING;
    this.#credits.set(id, takes ? Math.max(0, credit - 1) : credit);
    return takes;
  }

  /**
   * Forgets those that are not in the list, once there are many of them: a list may be a part of the group (those nearby, those not
   * tried yet), so who is missing from one need not have gone.
   */
  prune(endpoints: readonly EndpointView[]): void {
    if (this.#credits.size <= endpoints.length + MAX_ABSENT) return;
    const present = new Set(endpoints.map(({ id }) => id));
    for (const id of this.#credits.keys()) if (!present.has(id)) this.#credits.delete(id);
  }
}
