import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { embedTask, expectedAnswer, FakeModels, generateTask, tokensOf, vectorOf } from '../../test/fake-models.ts';
import { type Batching, DEFAULT_BATCHING } from '../engine-api.ts';
import { Scheduler } from './scheduler.ts';
import type { GenerateTask, Outcome, TraceEntry } from './tasks.ts';

let models: FakeModels;
let outcomes: Outcome[];
let trace: TraceEntry[];

function schedulerOf(slots: number, batching: Partial<Batching> = {}): Scheduler {
  models = new FakeModels(slots);
  outcomes = [];
  trace = [];
  return new Scheduler(models, {
    slots,
    batching: { ...DEFAULT_BATCHING, ...batching },
    now: () => models.now,
    onOutcome: (outcome) => outcomes.push(outcome),
    onTrace: (entry) => trace.push(entry),
  });
}

async function runToEnd(scheduler: Scheduler): Promise<void> {
  while ((await scheduler.run()) !== undefined);
}

const answersOf = (kind: Outcome['kind']) =>
  outcomes.filter((outcome) => outcome.kind === kind).map(({ task }) => task.id);
const answerOf = (task: GenerateTask) => [...task.state.tokens];
const did = <Did extends TraceEntry['did']>(name: Did) =>
  trace.filter((entry): entry is Extract<TraceEntry, { did: Did }> => entry.did === name);
/** The order of work in short: `prefill 1,2`, `decode 1,2,3`. */
const runs = () => trace.flatMap((entry) => ('ids' in entry ? [`${entry.did} ${entry.ids.join()}`] : []));
const long = (id: number, promptLength: number, tokens: number) =>
  generateTask({ id, promptIds: tokensOf(promptLength, id), maxTokens: tokens, ignoreEos: true });

describe('whatever comes when', () => {
  const arrival = fc.record({
    promptLength: fc.integer({ min: 1, max: 90 }),
    /** Prompts of one family begin alike. */
    family: fc.integer({ min: 0, max: 2 }),
    common: fc.integer({ min: 0, max: 80 }),
    maxTokens: fc.integer({ min: 1, max: 30 }),
    after: fc.integer({ min: 0, max: 6 }),
    withdrawAfter: fc.option(fc.integer({ min: 0, max: 40 }), { freq: 4 }),
    deadlineMs: fc.option(fc.integer({ min: 0, max: 1500 }), { freq: 4 }),
  });

  it('gives every answer the tokens that it would have alone, or none to one that was withdrawn or late', async () => {
    const settings = fc.record({
      slots: fc.integer({ min: 1, max: 5 }),
      prefillTokens: fc.constantFrom(16, 40, 100),
      sharePrefixes: fc.boolean(),
    });
    const property = fc.asyncProperty(
      fc.array(arrival, { maxLength: 25 }),
      settings,
      async (arrivals, { slots, ...batching }) => {
        const scheduler = schedulerOf(slots, batching);
        const waiting = arrivals.map((each, id) => {
          const promptIds = [
            ...tokensOf(Math.min(each.common, each.promptLength), each.family),
            ...tokensOf(each.promptLength, id),
          ].slice(0, each.promptLength);
          const deadlineAt = each.deadlineMs === null ? Number.POSITIVE_INFINITY : models.now + each.deadlineMs;
          return { ...each, task: generateTask({ id, promptIds, maxTokens: each.maxTokens, deadlineAt }) };
        });
        const withdrawals = new Map<number, number[]>();
        let step = 0;
        for (const { task, after, withdrawAfter } of waiting) {
          for (let i = 0; i < after; i++) await advance();
          scheduler.generate(task);
          if (withdrawAfter !== null)
            withdrawals.set(step + withdrawAfter, [...(withdrawals.get(step + withdrawAfter) ?? []), task.id]);
        }
        while ((await advance()) || [...withdrawals.keys()].some((at) => at >= step));

        async function advance(): Promise<boolean> {
          for (const id of withdrawals.get(step++) ?? []) scheduler.withdraw(id);
          return (await scheduler.run()) !== undefined;
        }

        expect(scheduler.dueAt).toBe(Number.POSITIVE_INFINITY);
        const ends = outcomes.filter(({ kind }) => kind === 'generated' || kind === 'refused');
        expect(new Set(ends.map(({ task }) => task.id)).size).toBe(ends.length);
        for (const { task, deadlineMs, withdrawAfter, maxTokens } of waiting) {
          const end = ends.find((outcome) => outcome.task === task);
          if (end?.kind === 'generated')
            expect(answerOf(task)).toEqual(expectedAnswer(task.state.promptIds, maxTokens));
          else if (end?.kind === 'refused') {
            expect(end.error).toMatchObject({ name: 'DeadlineError' });
            expect(deadlineMs).not.toBeNull();
          } else expect(withdrawAfter).not.toBeNull();
          if (deadlineMs === null && withdrawAfter === null) expect(end?.kind).toBe('generated');
        }
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });

  it('lets nobody who came later take a slot earlier', async () => {
    const scheduler = schedulerOf(2);
    for (let id = 0; id < 12; id++) scheduler.generate(long(id, 10 + ((id * 37) % 200), 1 + (id % 5)));
    await runToEnd(scheduler);
    expect(answersOf('started')).toEqual(Array.from({ length: 12 }, (_, id) => id));
    expect(answersOf('generated')).toHaveLength(12);
  });
});

describe('answers join and leave between decode steps', () => {
  it('so that a short one does not wait for a long one, and its slot is taken at once', async () => {
    const scheduler = schedulerOf(2);
    scheduler.generate(long(1, 8, 6));
    scheduler.generate(long(2, 8, 2));
    scheduler.generate(long(3, 8, 2));
    await runToEnd(scheduler);
    expect(runs()).toEqual([
      'prefill 1,2',
      'decode 1,2',
      'prefill 3',
      'decode 1,3',
      'decode 1',
      'decode 1',
      'decode 1',
    ]);
    expect(answersOf('generated')).toEqual([2, 3, 1]);
  });

  it('by moving the last row into the place of one that ends', async () => {
    const scheduler = schedulerOf(3);
    scheduler.generate(long(1, 8, 2));
    scheduler.generate(long(2, 8, 9));
    scheduler.generate(long(3, 8, 4));
    await runToEnd(scheduler);
    expect(did('move')).toEqual([
      { did: 'move', id: 3, from: 2, to: 0 },
      { did: 'move', id: 2, from: 1, to: 0 },
    ]);
  });

  it('moves nothing for rows that end together', async () => {
    const scheduler = schedulerOf(4);
    for (const id of [1, 2, 3, 4]) scheduler.generate(long(id, 8, 3));
    await runToEnd(scheduler);
    expect(did('move')).toEqual([]);
    expect(did('decode')).toHaveLength(2);
  });
});

describe('a long prompt', () => {
  it('is computed in chunks, and the others get a token after each', async () => {
    const scheduler = schedulerOf(3, { prefillTokens: 32 });
    scheduler.generate(long(1, 8, 20));
    await scheduler.run();
    scheduler.generate(long(2, 100, 2));
    await runToEnd(scheduler);
    expect(did('prefill').map(({ ids, past, tokens }) => [ids[0], past, tokens])).toEqual([
      [1, 0, 8],
      [2, 0, 32],
      [2, 32, 32],
      [2, 64, 32],
      [2, 96, 4],
    ]);
    expect(runs().slice(1, 9)).toEqual([
      'decode 1',
      'prefill 2',
      'decode 1',
      'prefill 2',
      'decode 1',
      'prefill 2',
      'decode 1',
      'prefill 2',
    ]);
  });

  it('never lets more than one chunk, one run of texts and one step stand between two tokens of an answer', async () => {
    const scheduler = schedulerOf(4, { prefillTokens: 64 });
    const watched = long(1, 8, 200);
    scheduler.generate(watched);
    await scheduler.run();
    for (let id = 2; id < 30; id++) scheduler.generate(long(id, 30 + ((id * 53) % 300), 5));
    for (let id = 30; id < 90; id++) scheduler.embed(embedTask(id, [5 + (id % 40)]));
    let since = models.now;
    let longestMs = 0;
    while ((await scheduler.run()) !== undefined) {
      const told = outcomes.splice(0).some(({ kind, task }) => kind === 'text' && task === watched);
      if (told) {
        longestMs = Math.max(longestMs, models.now - since);
        since = models.now;
      }
      if (watched.state.finished) break;
    }
    expect(longestMs).toBeLessThanOrEqual(64 + 5 + 10);
  });

  it('keeps its place while rows before it end', async () => {
    const scheduler = schedulerOf(3, { prefillTokens: 16 });
    scheduler.generate(long(1, 8, 4));
    scheduler.generate(long(2, 8, 3));
    scheduler.generate(long(3, 60, 4));
    await runToEnd(scheduler);
    expect(answersOf('generated')).toEqual([2, 1, 3]);
    expect(did('move').at(-1)).toEqual({ did: 'move', id: 3, from: 2, to: 0 });
  });
});

describe('prompts that wait together', () => {
  it('go through one run as far as the chunk reaches', async () => {
    const scheduler = schedulerOf(8, { prefillTokens: 64 });
    for (const [id, length] of [
      [1, 20],
      [2, 18],
      [3, 21],
      [4, 10],
    ] as const)
      scheduler.generate(long(id, length, 2));
    await runToEnd(scheduler);
    expect(did('prefill').map(({ ids, tokens }) => [...ids, tokens])).toEqual([
      [1, 2, 3, 63],
      [4, 10],
    ]);
  });

  it('take no more slots than there are', async () => {
    const scheduler = schedulerOf(2);
    for (const id of [1, 2, 3]) scheduler.generate(long(id, 8, 3));
    await scheduler.run();
    expect(runs()).toEqual(['prefill 1,2']);
  });
});

describe('a shared prefix', () => {
  const common = tokensOf(50, 1);
  const prompts = [2, 3, 4].map((seed) => [...common, ...tokensOf(20, seed)]);

  beforeEach(() => {
    trace = [];
  });

  it('is copied from a slot that holds it, and only the rest is computed', async () => {
    const scheduler = schedulerOf(3);
    prompts.forEach((promptIds, id) => {
      scheduler.generate(generateTask({ id, promptIds, maxTokens: 20, ignoreEos: true }));
    });
    await runToEnd(scheduler);
    expect(did('prefill').map(({ ids, past, tokens }) => [...ids, past, tokens])).toEqual([[0, 1, 2, 0, 210]]);
    scheduler.generate(generateTask({ id: 9, promptIds: [...common, 5, 6], maxTokens: 3 }));
    await runToEnd(scheduler);
    expect(did('share')).toMatchObject([{ id: 9, tokens: 50 }]);
    expect(did('prefill').at(-1)).toMatchObject({ ids: [9], past: 50, tokens: 2 });
    expect(outcomes.findLast(({ kind }) => kind === 'generated')).toMatchObject({ cachedTokens: 50 });
  });

  it('never covers the last token, which what follows is computed from', async () => {
    const scheduler = schedulerOf(1);
    for (const id of [1, 2]) scheduler.generate(generateTask({ id, promptIds: common, maxTokens: 3, ignoreEos: true }));
    await runToEnd(scheduler);
    expect(did('prefill').map(({ past, tokens }) => [past, tokens])).toEqual([
      [0, 50],
      [49, 1],
    ]);
  });

  it('shorter than a run is worth is computed again, in company', async () => {
    const scheduler = schedulerOf(4);
    const short = (id: number) =>
      generateTask({ id, promptIds: [...tokensOf(31, 1), ...tokensOf(9, id)], maxTokens: 3 });
    scheduler.generate(short(1));
    await runToEnd(scheduler);
    for (const id of [2, 3]) scheduler.generate(short(id));
    await runToEnd(scheduler);
    expect(did('prefill').map(({ ids, past }) => [...ids, past])).toEqual([
      [1, 0],
      [2, 3, 0],
    ]);
  });

  it('is not looked for when sharing is off', async () => {
    const scheduler = schedulerOf(1, { sharePrefixes: false });
    for (const id of [1, 2]) scheduler.generate(generateTask({ id, promptIds: common, maxTokens: 3 }));
    await runToEnd(scheduler);
    expect(did('prefill').map(({ past }) => past)).toEqual([0, 0]);
  });
});

describe('texts to embed', () => {
  it('that came while the engine was busy go through one run, each with its own vector', async () => {
    const scheduler = schedulerOf(1);
    const tasks = [1, 2, 3].map((id) => embedTask(id, [5 + id]));
    for (const task of tasks) scheduler.embed(task);
    await runToEnd(scheduler);
    expect(runs()).toEqual(['embed 1,2,3']);
    for (const outcome of outcomes) {
      if (outcome.kind !== 'embedded') throw new Error(outcome.kind);
      expect(outcome.vectors).toEqual(outcome.task.texts.map(({ ids }) => vectorOf(ids)));
    }
  });

  it('of one width share a run; the first in line decides which', async () => {
    const scheduler = schedulerOf(1);
    for (const [id, length] of [
      [1, 5],
      [2, 30],
      [3, 8],
      [4, 27],
    ] as const)
      scheduler.embed(embedTask(id, [length]));
    await runToEnd(scheduler);
    expect(runs()).toEqual(['embed 1,3', 'embed 2,4']);
  });

  it('of a task of many do not keep a question waiting', async () => {
    const scheduler = schedulerOf(1, { maxEmbedTexts: 4 });
    scheduler.embed(embedTask(1, new Array(20).fill(6)));
    scheduler.embed(embedTask(2, [7]));
    await runToEnd(scheduler);
    expect(runs()[0]).toBe('embed 1,2');
    expect(answersOf('embedded')).toEqual([2, 1]);
  });

  it('wait for company only if told to, and not when they are enough', async () => {
    const scheduler = schedulerOf(1, { maxEmbedTexts: 2, embedWaitMs: 500 });
    scheduler.embed(embedTask(1, [5], models.now));
    expect(await scheduler.run()).toBeUndefined();
    expect(scheduler.dueAt).toBe(models.now + 500);
    scheduler.embed(embedTask(2, [5], models.now));
    expect(await scheduler.run()).toEqual({ stage: 'embed', size: 2 });
    scheduler.embed(embedTask(3, [5], models.now));
    expect(await scheduler.run()).toBeUndefined();
    models.now += 500;
    expect(await scheduler.run()).toEqual({ stage: 'embed', size: 1 });
  });

  it('longer than the budget still get their run', async () => {
    const scheduler = schedulerOf(1);
    scheduler.embed(embedTask(1, [3000, 5]));
    await runToEnd(scheduler);
    expect(did('embed').map(({ tokens }) => tokens)).toEqual([3000, 8]);
  });
});

describe('withdrawing', () => {
  it('frees a slot before the next run, and takes one who waits out of the line at once', async () => {
    const scheduler = schedulerOf(2);
    for (const id of [1, 2, 3, 4]) scheduler.generate(long(id, 8, 50));
    await scheduler.run();
    scheduler.withdraw(1);
    scheduler.withdraw(3);
    await scheduler.run();
    await scheduler.run();
    expect(runs()).toEqual(['prefill 1,2', 'decode 2', 'prefill 4']);
    expect(did('withdraw').map(({ id }) => id)).toEqual([3, 1]);
  });
});

describe('a deadline', () => {
  it('takes out one who waits, and nobody else moves', async () => {
    const scheduler = schedulerOf(1);
    scheduler.generate(long(1, 8, 3));
    scheduler.generate(generateTask({ id: 2, promptIds: tokensOf(8, 2), deadlineAt: models.now + 12 }));
    scheduler.generate(long(3, 8, 3));
    await runToEnd(scheduler);
    expect(answersOf('started')).toEqual([1, 3]);
    expect(did('refuse')).toEqual([{ did: 'refuse', id: 2, why: 'DeadlineError' }]);
  });

  it('ends an answer that has a slot between two steps', async () => {
    const scheduler = schedulerOf(1);
    scheduler.generate(
      generateTask({ id: 1, promptIds: tokensOf(8, 1), maxTokens: 100, ignoreEos: true, deadlineAt: models.now + 60 }),
    );
    await runToEnd(scheduler);
    expect(answersOf('refused')).toEqual([1]);
    expect(models.now).toBeLessThanOrEqual(1_060);
  });

  it('that the fastest pace ever seen cannot keep is refused before any work', async () => {
    const scheduler = schedulerOf(1);
    scheduler.generate(long(1, 100, 3));
    await runToEnd(scheduler);
    const before = runs().length;
    const late = { id: 2, promptIds: tokensOf(100, 2), deadlineAt: models.now + 90 };
    scheduler.generate(generateTask(late));
    await runToEnd(scheduler);
    expect(answersOf('refused')).toEqual([2]);
    expect(runs()).toHaveLength(before);
    scheduler.generate(generateTask({ ...late, id: 3, deadlineAt: models.now + 300 }));
    await runToEnd(scheduler);
    expect(answersOf('generated')).toEqual([1, 3]);
  });
});

describe('a run that fails', () => {
  it('refuses those that were in it, and the next are served', async () => {
    for (const stage of ['prefill', 'decode'] as const) {
      const scheduler = schedulerOf(2);
      let failures = 1;
      models.beforeRun = (ran) => {
        if (ran === stage && failures-- > 0) throw new Error('out of memory');
      };
      const tasks = [1, 2, 3].map((id) => long(id, 40, 4));
      for (const task of tasks) scheduler.generate(task);
      await runToEnd(scheduler);
      expect(answersOf('refused'), stage).toEqual([2, 1]);
      expect(answersOf('generated'), stage).toEqual([3]);
      expect(answerOf(tasks[2]!)).toHaveLength(4);
      expect(scheduler.dueAt).toBe(Number.POSITIVE_INFINITY);
    }
  });

  it('of the embedder refuses the whole tasks that had texts in it', async () => {
    const scheduler = schedulerOf(1, { maxEmbedTexts: 2 });
    let failures = 1;
    models.beforeRun = () => {
      if (failures-- > 0) throw new Error('out of memory');
    };
    scheduler.embed(embedTask(1, [5, 5, 5, 5]));
    scheduler.embed(embedTask(2, [20]));
    await runToEnd(scheduler);
    expect(answersOf('refused')).toEqual([1]);
    expect(answersOf('embedded')).toEqual([2]);
  });
});
