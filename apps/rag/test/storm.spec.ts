/** What is left of ten thousand requests of which many give up: nothing, and every other one is answered. */
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { GREEDY } from '@ragscale/inference/engine-api';
import { ServiceError } from '@ragscale/service/error-catalogue';
import { expect, it } from 'vitest';
import { BatchedAnswerer } from '../src/batched-answerer.ts';
import { EmbeddingCache } from '../src/embedding-cache.ts';
import { EngineGenerator } from '../src/generator/engine-generator.ts';
import { indexDocuments } from '../src/indexing.ts';
import { FakeEngine } from './fake-engine.ts';

const REQUESTS = 10_000;
const SETTINGS = { ...GREEDY, maxTokens: 8 };

/** Heap in use after a full collection, in bytes. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

async function create() {
  const engine = new FakeEngine({ slots: 16 });
  const gauges = { waiting: 0, running: 0 };
  const embedding = new EmbeddingCache(engine, { maxBytes: 2 ** 20, shares: true });
  const document = { id: 'birds', text: 'Hummingbirds hover.', format: 'plain' } as const;
  const passages = await indexDocuments([document], { engine, embedding, passageTokens: 96 });
  const answerer = new BatchedAnswerer({
    generator: new EngineGenerator(engine),
    embedding,
    passages,
    metrics: { queueChanged: (waiting, running) => Object.assign(gauges, { waiting, running }) },
    limits: { requests: REQUESTS, tokens: Number.POSITIVE_INFINITY },
    objectiveMs: Number.POSITIVE_INFINITY,
    passageTokens: 96,
  });
  engine.beforeAnswer = () => delay(Math.random() * 4);
  return { engine, gauges, embedding, answerer };
}

type Kind = 'patient' | 'leaving' | 'late';

it('leaves nothing behind', { timeout: 30_000 }, async () => {
  const { engine, gauges, embedding, answerer } = await create();

  /** One request that is answered, or that gives up at a random time. */
  const ask = async (index: number, kind: Kind): Promise<string> => {
    const controller = new AbortController();
    const afterMs = Math.random() * 1_000;
    const reason = kind === 'late' ? new ServiceError('deadline_exceeded', { deadlineMs: afterMs }) : new Error('gone');
    const timer = kind === 'patient' ? undefined : setTimeout(() => controller.abort(reason), afterMs);
    const deadlineAt =
      kind === 'late' ? performance.timeOrigin + performance.now() + afterMs : Number.POSITIVE_INFINITY;
    const call = { signal: controller.signal, deadlineAt };
    try {
      if (index % 10 === 0) await answerer.embed([`text ${index}`, `text ${index % 7}`], 'passage', call);
      else await answerer.answer({ query: `question ${index % 500}`, k: 1, settings: SETTINGS }, call);
      return 'answered';
    } catch (error) {
      return error instanceof ServiceError ? error.code : (error as Error).message;
    } finally {
      clearTimeout(timer);
    }
  };

  const storm = async (): Promise<{ kind: Kind; outcome: string }[]> => {
    const all: Promise<{ kind: Kind; outcome: string }>[] = [];
    for (let index = 0; index < REQUESTS; index += 1) {
      const kind = index % 3 === 0 ? 'leaving' : index % 5 === 1 ? 'late' : 'patient';
      all.push(ask(index, kind).then((outcome) => ({ kind, outcome })));
      if (index % 100 === 0) await delay(1);
    }
    return Promise.all(all);
  };

  const forgetCalls = (): void => {
    for (const calls of [engine.generations, engine.embedded, engine.embeddedAs]) calls.length = 0;
  };
  const first = await storm();
  forgetCalls();
  const before = heapUsed();
  const second = await storm();
  forgetCalls();
  for (const outcomes of [first, second]) {
    expect(outcomes).toHaveLength(REQUESTS);
    const of = (kind: Kind) => new Set(outcomes.filter((each) => each.kind === kind).map(({ outcome }) => outcome));
    expect(of('patient')).toEqual(new Set(['answered']));
    expect([...of('leaving')].sort()).toEqual(['answered', 'gone']);
    // Most of what cannot be done in time is refused before its deadline.
    expect([...of('late')]).toContain('queue_full');
    for (const outcome of of('late'))
      expect(outcome).toMatch(/^(answered|deadline_exceeded|queue_full|the deadline passes before this can be done)$/);
  }
  expect(gauges).toEqual({ waiting: 0, running: 0 });
  expect(answerer.open).toEqual({ waiting: 0, running: 0 });
  expect(embedding.inFlight).toBe(0);
  expect(embedding.bytes).toBeLessThanOrEqual(2 ** 20);
  // A kilobyte left of each request would be ten megabytes.
  expect(heapUsed() - before).toBeLessThan(4 * 2 ** 20);
});
