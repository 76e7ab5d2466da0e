/** Does it need the rights of rules.ts and no others, and name the one that is missing, with a real API server? */
import { describe, expect, it, vi } from 'vitest';
import { missingForControlPlane } from '../../../test/cluster/control-plane/control-plane.ts';
import { TARGET_RULES } from '../src/kubernetes/rules.ts';
import { WITHIN } from './cluster-fixture.ts';
import { later, RULES, useClusterSide } from './cluster-side-world.ts';
import { reportWith } from './reports.ts';

const missing = missingForControlPlane();

describe.skipIf(missing)(`rights on a real API server${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const world = useClusterSide();

  const single = TARGET_RULES.flatMap((rule) =>
    rule.verbs.map((verb) => ({ verb, rule, resource: rule.resources[0]! })),
  );

  it.each(single)('says that $verb on $resource is missing', async ({ verb, rule, resource }) => {
    const rules = RULES.map((one) =>
      one === rule ? { ...one, verbs: one.verbs.filter((other) => other !== verb) } : one,
    );
    const config = await world.accountWith(rules.filter(({ verbs }) => verbs.length > 0));
    await world.room.deployment('a', 2);
    await world.room.autoscaler('a');
    const troubles: string[] = [];
    const { side, latest } = world.opened({ config });
    void side.start((targets) => latest.push(targets));
    const isWatched = verb === 'watch' || verb === 'list';
    const needed = new RegExp(`a right is missing: bind a Role with [a-z, ]*${verb}[a-z, ]* on ${resource} `);
    await vi.waitFor(async () => {
      const a = latest.at(-1)?.[0];
      if (a !== undefined) {
        await side.fleet.look(a, later()).catch((error: Error) => troubles.push(error.message));
        await side.fleet.scale(a, 2, 3, later()).catch((error: Error) => troubles.push(error.message));
        const problem = { reason: 'FailedGetScale', message: 'for the test' };
        side.reporter.report(reportWith({ target: a, problem }));
        side.reporter.forget(a);
        side.reporter.report(reportWith({ target: a, problem }));
      } else if (!isWatched) throw new Error('no target yet');
      expect([...troubles, ...world.lines].join('\n')).toMatch(needed);
    }, WITHIN);
  });

  it('needs no other', async () => {
    const { side, a } = await world.oneTarget(2);
    await side.fleet.look(a, later());
    await side.fleet.scale(a, 2, 3, later());
    side.reporter.report(reportWith({ target: a, scaled: true }));
    await vi.waitFor(async () => expect(await world.statusOf('a')).toHaveProperty('lastScaleTime'), WITHIN);
    await vi.waitFor(async () => expect(await world.eventReasons()).toEqual(['SuccessfulRescale']), WITHIN);
    expect(world.lines.join()).not.toContain('a right is missing');
  });
});
