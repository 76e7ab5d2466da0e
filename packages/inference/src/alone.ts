/** One call to one model in this thread, with nobody else waiting: for commands and measurements. */
import type { Encoder } from './encoder.ts';
import {
  DEFAULT_BATCHING,
  type Embeddings,
  type Generation,
  type GenerationSettings,
  type Prompt,
} from './engine-api.ts';
import { clock, fromPlainError, type Results } from './engine-protocol.ts';
import { embedTask, eventOf, generateTask } from './engine-work.ts';
import type { Generator } from './models.ts';
import { Scheduler, type Verbs } from './scheduling/scheduler.ts';
import type { Outcome } from './scheduling/tasks.ts';

/** @throws ContextLengthError, RuntimeError */
export function embedAlone(encoder: Encoder, texts: readonly string[], as: 'query' | 'passage'): Promise<Embeddings> {
  return finish({ ...NOTHING, embed: (batch) => encoder.run(batch) }, (scheduler) =>
    scheduler.embed(embedTask(encoder, { ...message(), work: { kind: 'embed', texts, as } })),
  );
}

/** Takes slot 0 of the generator. @throws ContextLengthError, RuntimeError */
export function generateAlone(generator: Generator, prompt: Prompt, settings: GenerationSettings): Promise<Generation> {
  const { decoder } = generator;
  const verbs: Verbs = {
    ...NOTHING,
    prefill: (...args) => decoder.prefill(...args),
    decode: (...args) => decoder.decode(...args),
  };
  const work = { kind: 'generate', prompt, settings, streamed: false } as const;
  return finish(verbs, (scheduler) => scheduler.generate(generateTask(generator, { ...message(), work })));
}

const unasked = () => Promise.reject(new Error('one answer alone never asks for this'));
const NOTHING: Verbs = { embed: unasked, prefill: unasked, prefillTogether: unasked, decode: unasked, move: () => {} };

const message = () => ({ type: 'work', id: 0, order: 0, sentAt: clock() }) as const;

async function finish<T extends Results[keyof Results]>(
  verbs: Verbs,
  begin: (scheduler: Scheduler) => void,
): Promise<T> {
  const outcomes: Outcome[] = [];
  const scheduler = new Scheduler(verbs, {
    slots: 1,
    batching: DEFAULT_BATCHING,
    now: clock,
    onOutcome: (outcome) => outcomes.push(outcome),
  });
  begin(scheduler);
  while ((await scheduler.run()) !== undefined);
  const last = eventOf(outcomes.at(-1)!);
  if (last.kind === 'refused') throw fromPlainError(last.error);
  if (last.kind !== 'done') throw new Error(`the scheduler stopped at ${last.kind}`);
  return last.result as T;
}
