import { describe, expect, it } from 'vitest';
import type { Route } from './route.ts';
import { RouteChoice } from './route-choice.ts';

const route = (name: string, weight: number): Route => ({ name, weight }) as Route;

describe('the choice of a route', () => {
  it('is by weight where none is named', () => {
    let drawn = 0;
    const choice = new RouteChoice([route('a', 3), route('never', 0), route('b', 1)], () => drawn);
    const chosen = (random: number): string => {
      drawn = random;
      return choice.choose({}).route.name;
    };
    expect([0, 0.5, 0.7499, 0.75, 0.9999999999999999].map(chosen)).toEqual(['a', 'a', 'a', 'b', 'b']);
  });

  it('draws nothing where there is only one', () => {
    const choice = new RouteChoice([route('a', 1)], () => {
      throw new Error('not to be drawn');
    });
    expect(choice.choose({}).route.name).toBe('a');
  });

  it('is the one that is named, whatever its weight', () => {
    const choice = new RouteChoice([route('a', 1), route('b', 0)], () => 0);
    expect(choice.choose({ 'x-ragscale-variant': 'b' })).toMatchObject({ route: { name: 'b' } });
  });

  it('tells of a name that is not there, and counts the request by weight', () => {
    const choice = new RouteChoice([route('a', 1), route('b', 0)], () => 0);
    for (const name of ['c', 'A', 'a, b', '', '__proto__']) {
      const { route: chosen, error } = choice.choose({ 'x-ragscale-variant': name });
      expect(chosen.name).toBe('a');
      expect(error).toMatchObject({ code: 'invalid_request', status: 400, param: 'X-Ragscale-Variant' });
    }
  });
});
