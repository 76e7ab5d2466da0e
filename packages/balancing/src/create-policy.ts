/** The policy that configuration names. */
import { LeastRequest } from './least-request.ts';
import { peakEwma } from './peak-ewma.ts';
import type { Policy, PolicyName } from './policy.ts';
import { RoundRobin } from './round-robin.ts';
import { twoChoices } from './two-choices.ts';

/** Some have a place in the ring to remember: each group of endpoints needs a policy of its own. */
export function createPolicy(name: PolicyName): Policy {
  switch (name) {
    case 'round-robin':
      return new RoundRobin();
    case 'least-request':
      return new LeastRequest();
    case 'two-choices':
      return twoChoices;
    case 'peak-ewma':
      return peakEwma;
  }
}
