/** What a message asks for, as a task in tokens; and what came of a task, as a message. */
import type { Encoder } from './encoder.ts';
import { type EngineEvent, toPlainError, type Work, type WorkMessage } from './engine-protocol.ts';
import { ContextLengthError } from './errors.ts';
import { GenerationState } from './generation-state.ts';
import type { Generator } from './models.ts';
import { type FittedPrompt, fitIds, fitPrompt } from './prompt.ts';
import type { EmbedTask, GenerateTask, Outcome } from './scheduling/tasks.ts';

export type MessageOf<Kind extends Work['kind']> = WorkMessage & { readonly work: Extract<Work, { kind: Kind }> };

/** @throws ContextLengthError */
export function embedTask(encoder: Encoder, { id, order, sentAt, deadlineAt, work }: MessageOf<'embed'>): EmbedTask {
  const texts = work.texts.map((text, index) => ({ index, ids: tokenize(encoder, text, work.as, index) }));
  return { id, order, arrivedAt: sentAt, deadlineAt: deadlineAt ?? Number.POSITIVE_INFINITY, texts };
}

function tokenize(encoder: Encoder, text: string, as: 'query' | 'passage', index: number): readonly number[] {
  try {
    return encoder.tokenize(text, as);
  } catch (error) {
    if (!(error instanceof ContextLengthError)) throw error;
    throw new ContextLengthError(error.what, error.tokens, error.limit, index);
  }
}

/** @throws ContextLengthError */
export function generateTask(
  generator: Generator,
  { id, order, sentAt, deadlineAt, work }: MessageOf<'generate'>,
): GenerateTask {
  const { ids, passagesUsed } = fit(generator, work.prompt, work.settings.maxTokens);
  const { manifest, decoder, tokenizer } = generator;
  const state = new GenerationState({
    promptIds: ids,
    settings: work.settings,
    eos: manifest.tokens.eos,
    vocabulary: decoder.vocabulary,
    decode: (tokens) => tokenizer.decode(tokens),
  });
  const { streamed } = work;
  return {
    id,
    order,
    arrivedAt: sentAt,
    deadlineAt: deadlineAt ?? Number.POSITIVE_INFINITY,
    state,
    passagesUsed,
    streamed,
  };
}

function fit(
  { decoder, tokenizer, manifest }: Generator,
  prompt: MessageOf<'generate'>['work']['prompt'],
  maxTokens: number,
): FittedPrompt {
  // A raw prompt is its author's own template: special tokens written in it are meant. In a question they are only text.
  if ('text' in prompt)
    return fitIds(tokenizer.encode(prompt.text, { parseSpecials: true }), decoder.context, maxTokens);
  return fitPrompt(manifest.prompt, prompt, tokenizer, decoder.context, maxTokens);
}

export function eventOf(outcome: Outcome): EngineEvent {
  const { id } = outcome.task;
  switch (outcome.kind) {
    case 'started': {
      const { state, passagesUsed, arrivedAt } = outcome.task;
      const queueMs = outcome.startedAt - arrivedAt;
      return { kind: 'started', id, start: { queueMs, promptTokens: state.promptIds.length, passagesUsed } };
    }
    case 'text':
      return { kind: 'text', id, text: outcome.text };
    case 'embedded': {
      const { task, vectors, times } = outcome;
      const tokens = task.texts.reduce((sum, { ids }) => sum + ids.length, 0);
      const timing = { queueMs: times.startedAt - task.arrivedAt, runMs: times.endedAt - times.startedAt };
      return { kind: 'done', id, result: { vectors, tokens, timing } };
    }
    case 'generated': {
      const { task, cachedTokens, times } = outcome;
      const timing = {
        queueMs: times.startedAt - task.arrivedAt,
        prefillMs: times.firstTokenAt - times.startedAt,
        decodeMs: times.endedAt - times.firstTokenAt,
      };
      return {
        kind: 'done',
        id,
        result: { ...task.state.result(), passagesUsed: task.passagesUsed, cachedTokens, timing },
      };
    }
    case 'refused':
      return { kind: 'refused', id, error: toPlainError(outcome.error) };
  }
}
