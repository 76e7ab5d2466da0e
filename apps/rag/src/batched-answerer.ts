/** The batched variant: as many questions at once as the engine has slots, and the next few made ready meanwhile. */
import type { Embeddings, Engine } from '@ragscale/inference/engine-api';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import type { Answer, Answerer, AnswerListener, Call, Question } from './answerer.ts';
import { type AnsweringParts, answerQuestion } from './answering.ts';
import type { TextGenerator } from './generator/text-generator.ts';
import { tokensOfQuestion, tokensOfTexts } from './token-estimate.ts';
import { afterWaiting, type QueueLimits, Turns } from './turns.ts';

/**
 * Requests for vectors that are with the engine at once. They need no slot and so have a line of their own: waiting behind answers
 * would cost them a thousand times what they take. A few are enough to fill the embedder's runs, which mix them with questions.
 */
const EMBED_WINDOW = 8;

export interface BatchedParts {
  readonly generator: Pick<TextGenerator, 'generate' | 'context' | 'slots'>;
  /** The engine, or a cache in front of it. */
  readonly embedding: Pick<Engine, 'embed'>;
  readonly passages: AnsweringParts['passages'];
  readonly metrics: Pick<PodMetrics, 'queueChanged'>;
  /** Of each of the two lines. */
  readonly limits: QueueLimits;
  /** Answers that are not expected within it are refused, in milliseconds; infinity where only deadlines count. */
  readonly objectiveMs: number;
  /** Tokens of a passage at most. */
  readonly passageTokens: number;
}

export class BatchedAnswerer implements Answerer {
  readonly slots: number;
  readonly context: number;
  readonly passageTokens: number;
  readonly #answering: AnsweringParts;
  readonly #embedding: Pick<Engine, 'embed'>;
  readonly #questions: Turns;
  readonly #texts: Turns;
  /** Of both lines together: the engine serves all that it is given in this order. */
  #arrivals = 0;

  constructor({ generator, embedding, passages, metrics, limits, objectiveMs, passageTokens }: BatchedParts) {
    const { slots, context } = generator;
    this.slots = slots;
    this.context = context;
    this.passageTokens = passageTokens;
    this.#embedding = embedding;
    this.#answering = { embedding, generator, passages };
    this.#questions = new Turns({
      limits: { ...limits, objectiveMs, window: slots + lookAhead(slots), refusesEarly: true },
      // Those that are made ready wait for a slot, whatever has been done for them already.
      onChange: (waiting, taken) => metrics.queueChanged(waiting + Math.max(0, taken - slots), Math.min(taken, slots)),
    });
    this.#texts = new Turns({ limits: { ...limits, objectiveMs, window: EMBED_WINDOW, refusesEarly: true } });
  }

  /** Requests of both lines, for tests. */
  get open(): { readonly waiting: number; readonly running: number } {
    const lines = [this.#questions, this.#texts];
    return {
      waiting: lines.reduce((sum, { waiting }) => sum + waiting, 0),
      running: lines.reduce((sum, { running }) => sum + running, 0),
    };
  }

  answer(question: Question, call: Call, listener?: AnswerListener): Promise<Answer> {
    const order = this.#arrivals++;
    return this.#questions.take(tokensOfQuestion(question, this), call, (waitedMs) =>
      answerQuestion(this.#answering, question, { ...call, waitedMs, order }, listener),
    );
  }

  embed(texts: readonly string[], as: 'query' | 'passage', call: Call): Promise<Embeddings> {
    const order = this.#arrivals++;
    return this.#texts.take(tokensOfTexts(texts), call, async (waitedMs) =>
      afterWaiting(await this.#embedding.embed(texts, as, { ...call, order }), waitedMs),
    );
  }
}

/**
 * Questions that are embedded and have their passages before there is a slot for them. Without them every slot would stand empty for as
 * long as that takes; more would only move the line to where it is not bounded.
 */
export function lookAhead(slots: number): number {
  return Math.max(2, Math.ceil(slots / 4));
}
