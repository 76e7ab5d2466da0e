import { DeadlineError } from '@ragscale/inference/errors';
import { ServiceError } from '@ragscale/service/error-catalogue';
import { describe, expect, it } from 'vitest';
import type { Call } from './answerer.ts';
import { Turns } from './turns.ts';

const patient: Call = { signal: new AbortController().signal, deadlineAt: Number.POSITIVE_INFINITY };

function create({ window = 1, requests = 10 } = {}) {
  const changes: string[] = [];
  const time = { now: 0 };
  const turns = new Turns({
    limits: { window, requests, tokens: 100, objectiveMs: Number.POSITIVE_INFINITY, refusesEarly: true },
    onChange: (waiting, running) => changes.push(`${waiting} waiting, ${running} running`),
    now: () => time.now,
  });
  const order: string[] = [];
  /** Asks for a turn that lasts until `end` is called. */
  const ask = (name: string, call: Partial<Call> = {}) => {
    const { promise, resolve: end, reject: fail } = Promise.withResolvers<void>();
    const done = turns.take(1, { ...patient, ...call }, async (waitedMs) => {
      order.push(`${name} after ${waitedMs}`);
      await promise;
      return name;
    });
    done.catch(() => {});
    return { done, end, fail };
  };
  return { turns, changes, time, order, ask };
}

describe('turns', () => {
  it('pass from one to the next in order, and nobody who comes now gets in between', async () => {
    const { ask, time, order, changes } = create();
    const first = ask('first');
    const others = ['second', 'third'].map((name) => ask(name));
    time.now = 5;
    first.end();
    const late = ask('late');
    for (const { end } of [...others, late]) end();
    expect(await Promise.all([first, ...others, late].map(({ done }) => done))).toEqual([
      'first',
      'second',
      'third',
      'late',
    ]);
    expect(order).toEqual(['first after 0', 'second after 5', 'third after 5', 'late after 0']);
    expect(changes.at(-1)).toBe('0 waiting, 0 running');
  });

  it('are for as many at once as the window has', async () => {
    const { ask, turns } = create({ window: 3 });
    const all = Array.from({ length: 5 }, (_, index) => ask(String(index)));
    expect([turns.waiting, turns.running]).toEqual([2, 3]);
    for (const { end } of all) end();
    await Promise.all(all.map(({ done }) => done));
    expect([turns.waiting, turns.running]).toEqual([0, 0]);
  });

  it('are left at once by who gives up, with the reason, waiting or not', async () => {
    const { ask, turns, order } = create();
    const [runs, waits] = [new AbortController(), new AbortController()];
    const first = ask('first', { signal: runs.signal });
    const second = ask('second', { signal: waits.signal });
    const third = ask('third');
    waits.abort(new Error('gone'));
    expect(turns.waiting).toBe(1);
    await expect(second.done).rejects.toThrow('gone');
    runs.abort(new Error('gone too'));
    expect(turns.waiting).toBe(1);
    first.fail(new Error('withdrawn'));
    await expect(first.done).rejects.toThrow('gone too');
    third.end();
    await third.done;
    expect(order).toEqual(['first after 0', 'third after 0']);
    await expect(ask('never', { signal: waits.signal }).done).rejects.toThrow('gone');
    expect([turns.waiting, turns.running]).toEqual([0, 0]);
  });

  it('go on after work that fails', async () => {
    const { ask } = create();
    const [first, second] = [ask('first'), ask('second')];
    first.fail(new Error('broken'));
    second.end();
    await expect(first.done).rejects.toThrow('broken');
    expect(await second.done).toBe('second');
  });

  it('belong to whom they were passed, even if that one gives up a moment later', async () => {
    const { ask, turns } = create();
    const leaving = new AbortController();
    const [first, second, third] = [ask('first'), ask('second', { signal: leaving.signal }), ask('third')];
    first.end();
    await first.done;
    leaving.abort(new Error('gone'));
    second.fail(new Error('withdrawn'));
    await expect(second.done).rejects.toThrow('gone');
    third.end();
    await third.done;
    expect([turns.waiting, turns.running]).toEqual([0, 0]);
  });

  it('are refused with the time after which to come back when too many wait', async () => {
    const { ask } = create({ requests: 1 });
    const [first, second] = [ask('first'), ask('second')];
    const error = await ask('third').done.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ code: 'queue_full', status: 429, headers: { 'retry-after': '1' } });
    first.end();
    second.end();
    await second.done;
  });

  it('that come after the deadline are not begun', async () => {
    const { ask, time, order, turns } = create();
    const [first, hasty, last] = [ask('first'), ask('hasty', { deadlineAt: 10 }), ask('last')];
    time.now = 10;
    first.end();
    await expect(hasty.done).rejects.toThrow(DeadlineError);
    last.end();
    await last.done;
    expect(order).toEqual(['first after 0', 'last after 10']);
    expect([turns.waiting, turns.running]).toEqual([0, 0]);
  });
});
