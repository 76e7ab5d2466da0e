/** From a question that has its turn to its answer: embed, retrieve, generate. What every variant does alike. */
import { type Engine, GREEDY } from '@ragscale/inference/engine-api';
import type { Stage } from '@ragscale/service/metric-catalogue';
import type { StageSpan } from '@ragscale/service/tracing';
import type { Answer, AnswerListener, Call, Question } from './answerer.ts';
import type { GeneratedText, TextGenerator } from './generator/text-generator.ts';
import type { PassageStore } from './passage-store.ts';
import { TrimmedText } from './trimmed-text.ts';

export interface AnsweringParts {
  readonly embedding: Pick<Engine, 'embed'>;
  readonly generator: Pick<TextGenerator, 'generate'>;
  readonly passages: Pick<PassageStore, 'nearest'>;
}

export interface Turned extends Call {
  /** How long the question waited for its turn, in milliseconds. */
  readonly waitedMs: number;
  /** Its place in the lines of the engine. */
  readonly order?: number;
}

/** @throws ContextLengthError, ServiceError, CancelledError, DeadlineError, EngineClosedError */
export async function answerQuestion(
  { embedding, generator, passages }: AnsweringParts,
  { query, k, settings, instructions, turns }: Question,
  { waitedMs, ...call }: Turned,
  listener?: AnswerListener,
): Promise<Answer> {
  const startedAt = performance.now();
  const embedded = await embedding.embed([query], 'query', call);
  const embeddedAt = performance.now();
  const found = await passages.nearest(embedded.vectors[0] as Float32Array, k, call.signal);
  const retrievedAt = performance.now();
  const stages = { embed: embeddedAt - startedAt - embedded.timing.queueMs, retrieve: retrievedAt - embeddedAt };
  const prompt = { question: query, passages: found.map((source) => source.text), instructions, turns };
  const text = new TrimmedText();
  const generated = await generator.generate(prompt, settings, {
    ...call,
    ...(listener && {
      onStart: ({ passagesUsed, promptTokens, queueMs }) => {
        const queue = waitedMs + embedded.timing.queueMs + queueMs;
        listener.onSources(found.slice(0, passagesUsed), promptTokens, { ...stages, queue });
      },
      onText: (piece) => {
        const visible = text.push(piece);
        if (visible !== '') listener.onText(visible);
      },
    }),
  });
  return {
    // The space after `Answer:` is the prompt's, though the model writes it.
    text: generated.text.trim(),
    sources: found.slice(0, generated.passagesUsed),
    ...measuresOf(generated),
    stages: {
      queue: waitedMs + embedded.timing.queueMs + generated.timing.queueMs,
      ...stages,
      prefill: generated.timing.prefillMs,
      decode: generated.timing.decodeMs,
    },
    timeline: timelineFrom(startedAt - waitedMs, [
      ['queue', waitedMs + embedded.timing.queueMs],
      ['embed', stages.embed],
      ['retrieve', stages.retrieve],
      ['queue', generated.timing.queueMs],
      ['prefill', generated.timing.prefillMs],
      ['decode', generated.timing.decodeMs],
    ]),
  };
}

/** Stages that follow each other. @param start of the first, by `performance.now` */
export function timelineFrom(start: number, stages: readonly (readonly [Stage, number])[]): StageSpan[] {
  let at = performance.timeOrigin + start;
  return stages.map(([name, ms]) => {
    const startMs = at;
    at += ms;
    return { name, startMs, endMs: at };
  });
}

function measuresOf({ finishReason, promptTokens, cachedTokens, generatedTokens }: GeneratedText) {
  return { finishReason, promptTokens, cachedTokens, generatedTokens };
}

/** Any question does: it makes ONNX Runtime allocate, and fails now rather than for the first client. */
export const WARM_UP_QUESTION: Question = {
  query: 'What is this about?',
  k: 1,
  settings: { ...GREEDY, maxTokens: 4 },
};
