/** The baseline: embeds, retrieves and generates for one question at a time, in the order of arrival. */
import type { Embeddings, Engine } from '@ragscale/inference/engine-api';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import type { Answer, Answerer, AnswerListener, Call, Question } from './answerer.ts';
import { type AnsweringParts, answerQuestion } from './answering.ts';
import type { TextGenerator } from './generator/text-generator.ts';
import { tokensOfQuestion, tokensOfTexts } from './token-estimate.ts';
import { afterWaiting, type QueueLimits, Turns } from './turns.ts';

export interface BaselineParts {
  readonly embedding: Pick<Engine, 'embed'>;
  readonly generator: Pick<TextGenerator, 'generate' | 'context'>;
  readonly passages: AnsweringParts['passages'];
  readonly metrics: Pick<PodMetrics, 'queueChanged'>;
  readonly limits: QueueLimits;
  /** Tokens of a passage at most. */
  readonly passageTokens: number;
}

export class BaselineAnswerer implements Answerer {
  readonly slots = 1;
  readonly context: number;
  readonly passageTokens: number;
  readonly #parts: BaselineParts;
  readonly #turns: Turns;

  constructor(parts: BaselineParts) {
    this.#parts = parts;
    this.context = parts.generator.context;
    this.passageTokens = parts.passageTokens;
    this.#turns = new Turns({
      // The plain design: bounded, because memory is, but with no idea of how long anything takes.
      limits: { ...parts.limits, window: 1, objectiveMs: Number.POSITIVE_INFINITY, refusesEarly: false },
      onChange: (waiting, running) => parts.metrics.queueChanged(waiting, running),
    });
  }

  answer(question: Question, call: Call, listener?: AnswerListener): Promise<Answer> {
    return this.#turns.take(tokensOfQuestion(question, this), call, (waitedMs) =>
      answerQuestion(this.#parts, question, { ...call, waitedMs }, listener),
    );
  }

  embed(texts: readonly string[], as: 'query' | 'passage', call: Call): Promise<Embeddings> {
    return this.#turns.take(tokensOfTexts(texts), call, async (waitedMs) =>
      afterWaiting(await this.#parts.embedding.embed(texts, as, call), waitedMs),
    );
  }
}
