/** Which setting is best without trying them all? Along the first knob the least careful one that still fails few, for the others knob by knob. */
import type { Knob, Turned } from '@ragscale/scaling/competitors/competitor';
import { ALLOWED } from './policies.ts';

export interface Score {
  readonly violationShare: number;
  readonly replicaSeconds: number;
}

export interface Entry {
  readonly turned: Turned;
  readonly score: Score;
}

/** What a setting does: with the first training seed only, and no further than until it is clear that it fails too many, or with all of them. */
export interface Judge {
  glance(turned: Turned): Score;
  judge(turned: Turned): Score;
}

/** Whether one is better tuned than the other. */
export function isBetter(one: Score, other: Score): boolean {
  const [oneKeeps, otherKeeps] = [one.violationShare <= ALLOWED, other.violationShare <= ALLOWED];
  if (oneKeeps !== otherKeeps) return oneKeeps;
  return oneKeeps ? one.replicaSeconds < other.replicaSeconds : one.violationShare < other.violationShare;
}

const keeps = ({ violationShare }: Score): boolean => violationShare <= ALLOWED;

/** Of combinations of the knobs behind the first: so many are all tried. */
const MOST_LINES = 16;
/** Of more, first those of a coarse grid, then what is beside the best of these, knob by knob, so many times at most. */
const coarsePlaces = (knobs: number) => (knobs <= 2 ? [1 / 6, 1 / 2, 5 / 6] : [1 / 4, 3 / 4]);
const PASSES = 3;

/**
 * The first knob is the one that trades cost for violations, so along it a few glances find where the violations begin; what is cheap enough
 * there to be the best is judged with all seeds, and a step more careful until it keeps to what is allowed. @returns the best
 */
export function search(knobs: Readonly<Record<string, Knob>>, judge: Judge): Entry {
  const [first, ...others] = Object.entries(knobs);
  const [name, { tries }] = first!;
  let best: Entry | undefined;
  let hint = tries.length >> 1;
  const searched = new Set<string>();

  const consider = (turned: Turned): boolean => {
    const score = judge.judge(turned);
    if (best === undefined || isBetter(score, best.score)) best = { turned, score };
    return keeps(score);
  };
  const line = (rest: Turned): void => {
    const key = JSON.stringify(Object.entries(rest).sort());
    if (searched.has(key)) return;
    searched.add(key);
    const at = (index: number): Turned => ({ [name]: tries[index]!, ...rest });
    const edge = leastCareful(tries.length, hint, (index) => keeps(judge.glance(at(index))));
    if (edge < 0) {
      if (best === undefined || !keeps(best.score)) consider(at(0));
      return;
    }
    for (let index = edge; index >= 0; index--) {
      const { replicaSeconds } = judge.glance(at(index));
      const bestGlance = best === undefined ? undefined : judge.glance(best.turned);
      if (best !== undefined && keeps(best.score) && replicaSeconds > bestGlance!.replicaSeconds) return;
      hint = index;
      if (consider(at(index))) return;
    }
  };

  const lines = others.reduce((count, [, knob]) => count * knob.tries.length, 1);
  if (lines <= MOST_LINES) {
    for (const rest of combinations(others)) line(rest);
    return best!;
  }
  line({});
  const places = coarsePlaces(others.length);
  const coarse = others.map(([knob, { about, tries: values }]): [string, Knob] => [
    knob,
    { about, tries: [...new Set(places.map((place) => values[Math.floor(place * values.length)]!))] },
  ]);
  for (const rest of combinations(coarse)) line(rest);
  for (let pass = 0; pass < PASSES; pass++) {
    const before = best;
    for (const [knob, { tries: values }] of others) {
      const { [name]: _, ...rest } = best!.turned;
      for (const value of values) line({ ...rest, [knob]: value });
    }
    if (best === before) break;
  }
  return best!;
}

/** The largest index that keeps, where all before it are taken to keep too; -1 where not even the first does. Begins at `hint`. */
function leastCareful(count: number, hint: number, keepsAt: (index: number) => boolean): number {
  let [low, high] = [-1, count];
  if (keepsAt(hint)) {
    low = hint;
    for (let step = 1; low + step < high; step *= 2) {
      if (!keepsAt(low + step)) {
        high = low + step;
        break;
      }
      low += step;
    }
  } else {
    high = hint;
    for (let step = 1; high - step > low; step *= 2) {
      if (keepsAt(high - step)) {
        low = high - step;
        break;
      }
      high -= step;
    }
    if (low < 0 && high > 0 && keepsAt(0)) low = 0;
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (middle < 0) break;
    if (keepsAt(middle)) low = middle;
    else high = middle;
  }
  return low;
}

function combinations(knobs: readonly (readonly [string, Knob])[]): Turned[] {
  return knobs.reduce<Turned[]>(
    (all, [name, { tries }]) => all.flatMap((one) => tries.map((value) => ({ ...one, [name]: value }))),
    [{}],
  );
}
