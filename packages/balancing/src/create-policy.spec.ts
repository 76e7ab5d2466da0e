import { describe, expect, it } from 'vitest';
import { pods } from '../test/pod.ts';
import { createPolicy } from './create-policy.ts';
import { POLICIES } from './policy.ts';

describe.each(POLICIES)('the policy %s', (name) => {
  it('finds the one that is available', () => {
    const endpoints = pods(5).map((view, i) => ({ ...view, available: i === 3 }));
    expect(createPolicy(name).pick(endpoints, Math.random)).toBe(endpoints[3]);
  });

  it('finds nobody where nobody is available', () => {
    expect(createPolicy(name).pick(pods(3, { available: false }), Math.random)).toBeUndefined();
    expect(createPolicy(name).pick([], Math.random)).toBeUndefined();
  });

  it('keeps its place apart from that of another group', () => {
    const [one, other] = [createPolicy(name), createPolicy(name)];
    one.pick(pods(3), () => 0);
    expect(other.pick(pods(3), () => 0)?.id).toBe('p00');
  });
});
