/** POST /rag: a question in, an answer with its sources out, whole or as events. */
import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { prefersEventStream } from './accept.ts';
import { renderEvent } from './event-stream.ts';
import { type AnswerEvents, HttpAnswers } from './http-answers.ts';
import { doneOf, questionOf, type RagRequest, ragRequest, responseOf, startedOf } from './rag.schema.ts';

@Controller()
export class RagController {
  readonly #answers: HttpAnswers;

  constructor(@Inject(HttpAnswers) answers: HttpAnswers) {
    this.#answers = answers;
  }

  @Post('rag')
  @HttpCode(200)
  async answer(
    @Body({ schema: ragRequest }) body: RagRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const streamed = body.stream ?? prefersEventStream(request.headers.accept);
    request.exchange.note({ queryLength: body.query.length, k: body.k, streamed });
    const asked = { request, reply, field: 'query' };
    if (streamed) await this.#answers.stream(questionOf(body), eventsOf(body), asked);
    else reply.send(responseOf(body, await this.#answers.answer(questionOf(body), asked)));
  }
}

function eventsOf(body: RagRequest): AnswerEvents {
  return {
    started: (sources) => renderEvent(startedOf(body, sources), 'sources'),
    text: (text) => renderEvent({ text }, 'token'),
    done: (answer, totalMs) => renderEvent(doneOf(answer, totalMs), 'done'),
    error: (error) => renderEvent(error, 'error'),
  };
}
