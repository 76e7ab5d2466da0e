/** The baseline: embeds, retrieves and generates for one question at a time, in the order of arrival. */
import type { Embeddings, Engine } from '@ragscale/inference/engine-api';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import type { Answer, Answerer, AnswerListener, Call, Question } from './answerer.ts';
import { answerQuestion } from './answering.ts';
import { FifoLock } from './fifo-lock.ts';
import type { PassageStore } from './passage-store.ts';

export interface BaselineParts {
  readonly engine: Pick<Engine, 'embed' | 'generate' | 'context'>;
  readonly passages: PassageStore;
  readonly metrics: Pick<PodMetrics, 'queueChanged'>;
}

export class BaselineAnswerer implements Answerer {
  readonly slots = 1;
  readonly context: number;
  readonly #parts: BaselineParts;
  readonly #lock: FifoLock;

  constructor(parts: BaselineParts) {
    this.#parts = parts;
    this.context = parts.engine.context;
    this.#lock = new FifoLock((waiting, running) => parts.metrics.queueChanged(waiting, running));
  }

  answer(question: Question, call: Call, listener?: AnswerListener): Promise<Answer> {
    return this.#inTurn(call, (waitedMs) => answerQuestion(this.#parts, question, { ...call, waitedMs }, listener));
  }

  embed(texts: readonly string[], as: 'query' | 'passage', call: Call): Promise<Embeddings> {
    return this.#inTurn(call, () => this.#parts.engine.embed(texts, as, call));
  }

  async #inTurn<T>({ signal }: Call, work: (waitedMs: number) => Promise<T>): Promise<T> {
    const askedAt = performance.now();
    const release = await this.#lock.acquire(signal);
    try {
      return await work(performance.now() - askedAt);
    } catch (error) {
      // What withdrew the work says more than that the engine saw it withdrawn.
      throw signal.aborted ? signal.reason : error;
    } finally {
      release();
    }
  }
}
