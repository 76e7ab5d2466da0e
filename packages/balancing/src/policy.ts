/** Which pod gets the next request? One function per policy; the names are what configuration takes. */
import type { EndpointView } from './endpoint-view.ts';

export const POLICIES = ['round-robin', 'least-request', 'two-choices', 'peak-ewma'] as const;
export type PolicyName = (typeof POLICIES)[number];

export interface Policy {
  /**
   * Never an endpoint that is not available; undefined where there is none.
   * @param endpoints in the order of their ids
   * @param random draws from [0, 1)
   */
  pick<Endpoint extends EndpointView>(endpoints: readonly Endpoint[], random: () => number): Endpoint | undefined;
}
