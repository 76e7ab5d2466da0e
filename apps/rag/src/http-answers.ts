/** Answers a question for one HTTP request, whole or as a stream: deadline, withdrawal, log line, metrics, headers. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { Embeddings } from '@ragscale/inference/engine-api';
import { ContextLengthError } from '@ragscale/inference/errors';
import { DEADLINE_HEADER, deadlineMs } from '@ragscale/service/deadline';
import { type ErrorBody, ServiceError } from '@ragscale/service/error-catalogue';
import type { Lifecycle } from '@ragscale/service/lifecycle';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import { renderServerTiming } from '@ragscale/service/server-timing';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerGate } from './answer-gate.ts';
import type { Answer, AnswerListener, Call, Question, Source } from './answerer.ts';
import { timelineFrom } from './answering.ts';
import type { Configuration } from './configuration.ts';
import { EventStream } from './event-stream.ts';
import { roundedStages } from './rounded-times.ts';
import type { Withdrawals } from './withdrawals.ts';

export interface HttpAnswersParts {
  readonly gate: AnswerGate;
  readonly withdrawals: Withdrawals;
  readonly metrics: PodMetrics;
  readonly configuration: Configuration;
  readonly lifecycle: Lifecycle;
}

/** The two ends of a request. */
export interface Asked {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** The field of the body that the texts for the models came in: an error about their length names it. */
  readonly field: string;
}

/** How an API words its stream: each gives the bytes of one event, or of several. */
export interface AnswerEvents {
  started(sources: readonly Source[]): string;
  text(piece: string): string;
  /** @param totalMs from the request's arrival */
  done(answer: Answer, totalMs: number): string;
  error(body: ErrorBody): string;
}

export class HttpAnswers {
  readonly #parts: HttpAnswersParts;

  constructor(parts: HttpAnswersParts) {
    this.#parts = parts;
  }

  /** Answers, and sets the headers that tell of it. @throws as `AnswerGate.answer` */
  async answer(question: Question, asked: Asked): Promise<Answer> {
    using call = this.#begin(asked);
    const answer = await this.#parts.gate.answer(question, call).catch(namingField(asked.field));
    this.#answered(answer, asked.request);
    asked.reply.header('server-timing', renderServerTiming(answer.stages, asked.request.exchange.elapsedMs()));
    return answer;
  }

  /**
   * Answers with a stream. What fails before its head has left is thrown, what fails later as well: the error filter
   * knows from the exchange that it must go into the stream.
   * @throws as `AnswerGate.answer`
   */
  async stream(question: Question, events: AnswerEvents, asked: Asked): Promise<void> {
    using call = this.#begin(asked);
    const { request, reply, field } = asked;
    const stream = new EventStream(reply.raw, events.text);
    const listener: AnswerListener = {
      onSources: (sources, _promptTokens, stages) => {
        if (call.signal.aborted) return;
        const headers = { ...this.#head(reply), 'server-timing': renderServerTiming(stages) };
        reply.hijack();
        request.exchange.streams((body) => stream.breakOff(events.error(body)));
        stream.open(headers, events.started(sources));
      },
      onText: (piece) => stream.sendText(piece),
    };
    const delivery: Promise<void>[] = [];
    const onAnswered = (answer: Answer): void => {
      this.#answered(answer, request);
      stream.end(events.done(answer, request.exchange.elapsedMs()));
      // The deadline holds until the reader has all of it, and so long a pod that ends waits.
      delivery.push(this.#parts.lifecycle.track(() => stream.delivered(call.signal)));
    };
    await this.#parts.gate.answer(question, call, listener, onAnswered).catch(namingField(field));
    await Promise.all(delivery);
  }

  /** Vectors, and the headers that tell of them. @throws as `AnswerGate.embed` */
  async embed(texts: readonly string[], as: 'query' | 'passage', asked: Asked): Promise<Embeddings> {
    using call = this.#begin(asked);
    const begunAt = performance.now();
    const embeddings = await this.#parts.gate.embed(texts, as, call).catch(namingField(asked.field));
    const { queueMs, runMs } = embeddings.timing;
    const { exchange } = asked.request;
    const stages = { queue: queueMs, embed: runMs };
    exchange.note({ promptTokens: embeddings.tokens, stagesMs: roundedStages(stages) });
    exchange.trace({
      stages: timelineFrom(begunAt, [
        ['queue', queueMs],
        ['embed', runMs],
      ]),
      attributes: { 'gen_ai.usage.input_tokens': embeddings.tokens },
    });
    asked.reply.header('server-timing', renderServerTiming(stages, exchange.elapsedMs()));
    return embeddings;
  }

  #begin({ request, reply }: Asked): Disposable & Call {
    const { requestTimeoutMs, minRequestTimeoutMs, maxRequestTimeoutMs } = this.#parts.configuration;
    const limits = { defaultMs: requestTimeoutMs, minMs: minRequestTimeoutMs, maxMs: maxRequestTimeoutMs };
    const deadline = deadlineMs(request.headers[DEADLINE_HEADER], limits);
    return this.#parts.withdrawals.begin(reply.raw, deadline, request.exchange.elapsedMs());
  }

  #answered(answer: Answer, request: FastifyRequest): void {
    this.#parts.metrics.answered(answer);
    request.exchange.note({
      promptTokens: answer.promptTokens,
      generatedTokens: answer.generatedTokens,
      finishReason: answer.finishReason,
      sources: answer.sources.length,
      stagesMs: roundedStages(answer.stages),
    });
    request.exchange.trace({
      stages: answer.timeline,
      attributes: {
        'gen_ai.usage.input_tokens': answer.promptTokens,
        'gen_ai.usage.output_tokens': answer.generatedTokens,
        'gen_ai.response.finish_reasons': [answer.finishReason],
      },
    });
  }

  /** The headers that Fastify would have sent: it has no part in a stream. */
  #head(reply: FastifyReply): OutgoingHttpHeaders {
    const { state } = this.#parts.lifecycle;
    const ending = state === 'leaving' || state === 'draining';
    return { ...(reply.getHeaders() as OutgoingHttpHeaders), ...(ending ? { connection: 'close' } : {}) };
  }
}

/** An error that is about the length of a text, told with the name of the field that the text came in. */
function namingField(field: string): (error: unknown) => never {
  return (error) => {
    // A server elsewhere says only that it is too long.
    if (error instanceof ServiceError && error.code === 'context_length_exceeded' && error.param === null)
      throw new ServiceError('context_length_exceeded', { detail: error.message }, { param: field, cause: error });
    if (!(error instanceof ContextLengthError)) throw error;
    const param = error.index === undefined || field !== 'input' ? field : `${field}.${error.index}`;
    throw new ServiceError('context_length_exceeded', { detail: error.message }, { param, cause: error });
  };
}
