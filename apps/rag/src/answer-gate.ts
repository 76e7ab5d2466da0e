/** Lets questions through to the answerer once the pod is ready and until it drains. */

import type { Embeddings, Engine } from '@ragscale/inference/engine-api';
import { ServiceError } from '@ragscale/service/error-catalogue';
import type { Lifecycle } from '@ragscale/service/lifecycle';
import type { Answer, Answerer, AnswerListener, Call, Question } from './answerer.ts';
import type { TextGenerator } from './generator/text-generator.ts';

/** The models behind the answers. */
export interface ServedModels extends Pick<Engine, 'embedder' | 'device'> {
  readonly generator: Pick<TextGenerator, 'name' | 'context'>;
}

export class AnswerGate {
  readonly #lifecycle: Lifecycle;
  #answerer: Answerer | undefined;
  #models: ServedModels | undefined;

  constructor(lifecycle: Lifecycle) {
    this.#lifecycle = lifecycle;
  }

  /** From here on questions are answered, unless the pod was told to leave meanwhile. */
  open(answerer: Answerer, models: ServedModels): void {
    this.#answerer = answerer;
    this.#models = models;
    this.#lifecycle.advance('ready');
  }

  /** Questions that are answered at once; undefined until the pod is ready. */
  get slots(): number | undefined {
    return this.#answerer?.slots;
  }

  /**
   * @param onAnswered called while the question still counts as in flight: what it counts in turn leaves no gap for a shutdown
   * @throws ServiceError not_ready, draining, context_length_exceeded, and what the answerer throws
   */
  async answer(
    question: Question,
    call: Call,
    listener?: AnswerListener,
    onAnswered?: (answer: Answer) => void,
  ): Promise<Answer> {
    const answerer = this.#opened();
    const { maxTokens } = question.settings;
    if (maxTokens > answerer.context) {
      const detail = `max_tokens: ${maxTokens} is over the context of ${answerer.context} tokens, which prompt and answer share`;
      throw new ServiceError('context_length_exceeded', { detail }, { param: 'max_tokens' });
    }
    return this.#lifecycle.track(async () => {
      const answer = await answerer.answer(question, call, listener);
      onAnswered?.(answer);
      return answer;
    });
  }

  /** @throws ServiceError not_ready, draining, and what the answerer throws */
  async embed(texts: readonly string[], as: 'query' | 'passage', call: Call): Promise<Embeddings> {
    const answerer = this.#opened();
    return this.#lifecycle.track(() => answerer.embed(texts, as, call));
  }

  /** What is served. @throws ServiceError not_ready, draining */
  models(): ServedModels {
    this.#opened();
    if (this.#models === undefined) throw new ServiceError('not_ready', {});
    return this.#models;
  }

  #opened(): Answerer {
    if (this.#lifecycle.state === 'draining')
      throw new ServiceError('draining', {}, { headers: { connection: 'close' } });
    if (this.#answerer === undefined || this.#lifecycle.state === 'starting') throw new ServiceError('not_ready', {});
    return this.#answerer;
  }
}
