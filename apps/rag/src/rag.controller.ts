/** POST /rag: a question in, an answer with its sources out. */
import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { DEADLINE_HEADER, deadlineMs } from '@ragscale/service/deadline';
import { ServiceError } from '@ragscale/service/error-catalogue';
import { STAGES } from '@ragscale/service/metric-catalogue';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import { renderServerTiming } from '@ragscale/service/server-timing';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerGate } from './answer-gate.ts';
import type { Configuration } from './configuration.ts';
import { questionOf, type RagRequest, type RagResponse, ragRequest } from './rag.schema.ts';
import { ANSWER_GATE, CONFIGURATION, METRICS, WITHDRAWALS } from './tokens.ts';
import type { Withdrawals } from './withdrawals.ts';

@Controller()
export class RagController {
  readonly #gate: AnswerGate;
  readonly #withdrawals: Withdrawals;
  readonly #metrics: PodMetrics;
  readonly #configuration: Configuration;

  constructor(
    @Inject(ANSWER_GATE) gate: AnswerGate,
    @Inject(WITHDRAWALS) withdrawals: Withdrawals,
    @Inject(METRICS) metrics: PodMetrics,
    @Inject(CONFIGURATION) configuration: Configuration,
  ) {
    this.#gate = gate;
    this.#withdrawals = withdrawals;
    this.#metrics = metrics;
    this.#configuration = configuration;
  }

  @Post('rag')
  @HttpCode(200)
  async answer(
    @Body({ schema: ragRequest }) body: RagRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RagResponse> {
    refuseStreaming(body, request.headers.accept);
    const { exchange } = request;
    const { requestTimeoutMs, minRequestTimeoutMs, maxRequestTimeoutMs } = this.#configuration;
    const limits = { defaultMs: requestTimeoutMs, minMs: minRequestTimeoutMs, maxMs: maxRequestTimeoutMs };
    using withdrawal = this.#withdrawals.begin(
      reply.raw,
      deadlineMs(request.headers[DEADLINE_HEADER], limits),
      exchange.elapsedMs(),
    );
    exchange.note({ queryLength: body.query.length, k: body.k });
    const answer = await this.#gate.answer(questionOf(body), withdrawal);
    this.#metrics.answered(answer);
    exchange.note({
      promptTokens: answer.promptTokens,
      generatedTokens: answer.generatedTokens,
      finishReason: answer.finishReason,
      sources: answer.sources.length,
      stagesMs: Object.fromEntries(STAGES.map((stage) => [stage, Math.round(answer.stages[stage] * 1000) / 1000])),
    });
    reply.header('server-timing', renderServerTiming(answer.stages, exchange.elapsedMs()));
    return { query: body.query, result: answer.text, sources: [...answer.sources] };
  }
}

function refuseStreaming(body: RagRequest, accept: string | undefined): void {
  if (body.stream) throw new ServiceError('unsupported', { what: 'stream: true' }, { param: 'stream' });
  if (accept?.toLowerCase().includes('text/event-stream')) {
    throw new ServiceError('unsupported', { what: 'Accept: text/event-stream' }, { param: 'Accept' });
  }
}
