/** The baseline: embeds, retrieves and generates for one question at a time, in the order of arrival. */
import type { Engine } from '@ragscale/inference/engine-api';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import type { Answer, Answerer, Question } from './answerer.ts';
import { FifoLock } from './fifo-lock.ts';
import type { PassageStore } from './passage-store.ts';

export interface BaselineParts {
  readonly engine: Pick<Engine, 'embed' | 'generate' | 'context'>;
  readonly passages: PassageStore;
  readonly metrics: Pick<PodMetrics, 'queueChanged' | 'batchRan'>;
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

  async answer(question: Question, signal: AbortSignal): Promise<Answer> {
    const askedAt = performance.now();
    const release = await this.#lock.acquire(signal);
    try {
      return await this.#answerAlone(question, signal, performance.now() - askedAt);
    } catch (error) {
      // What withdrew the work says more than that the engine saw it withdrawn.
      throw signal.aborted ? signal.reason : error;
    } finally {
      release();
    }
  }

  async #answerAlone({ query, k, settings }: Question, signal: AbortSignal, waitedMs: number): Promise<Answer> {
    const { engine, passages, metrics } = this.#parts;
    const startedAt = performance.now();
    const embedded = await engine.embed([query], 'query', signal);
    metrics.batchRan('embed', 1);
    const embeddedAt = performance.now();
    const found = await passages.nearest(embedded.vectors[0] as Float32Array, k, signal);
    const retrievedAt = performance.now();
    const prompt = { question: query, passages: found.map((source) => source.text) };
    const generated = await engine.generate(prompt, settings, signal);
    metrics.batchRan('prefill', 1);
    if (generated.tokens.length > 1) metrics.batchRan('decode', 1);
    return {
      // The space after `Answer:` is the prompt's, though the model writes it.
      text: generated.text.trim(),
      sources: found.slice(0, generated.passagesUsed),
      finishReason: generated.finishReason,
      promptTokens: generated.promptTokens,
      generatedTokens: generated.tokens.length,
      stages: {
        queue: waitedMs + embedded.timing.queueMs + generated.timing.queueMs,
        embed: embeddedAt - startedAt - embedded.timing.queueMs,
        retrieve: retrievedAt - embeddedAt,
        prefill: generated.timing.prefillMs,
        decode: generated.timing.decodeMs,
      },
    };
  }
}
