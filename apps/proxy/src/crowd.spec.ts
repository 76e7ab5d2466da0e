import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Crowd, type Member } from './crowd.ts';

it('is a set', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 100 });
  fc.assert(
    fc.property(steps, (taken) => {
      const members: Member[] = Array.from({ length: 10 }, () => ({ seat: -1 }));
      const crowd = new Crowd<Member>();
      const model = new Set<Member>();
      for (const [comes, index] of taken) {
        const member = members[index]!;
        if (comes) crowd.add(member);
        else crowd.delete(member);
        if (comes) model.add(member);
        else model.delete(member);
        expect(crowd.size).toBe(model.size);
        expect(new Set(crowd.all())).toEqual(model);
      }
    }),
  );
});

it('can be left by those that are visited', () => {
  const members = [1, 2, 3].map(() => ({ seat: -1 }));
  const crowd = new Crowd<Member>();
  for (const member of members) crowd.add(member);
  for (const member of crowd.all()) crowd.delete(member);
  expect(crowd.size).toBe(0);
});
