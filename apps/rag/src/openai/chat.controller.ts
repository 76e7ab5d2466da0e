/** POST /v1/chat/completions: a conversation in OpenAI's words, answered from the documents. */
import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerGate } from '../answer-gate.ts';
import { HttpAnswers } from '../http-answers.ts';
import { ANSWER_GATE } from '../tokens.ts';
import { type ChatRequest, chatRequest, questionOf } from './chat.schema.ts';
import { chunksOf, completionOf } from './chat-answer.ts';
import { findModel } from './served-models.ts';

@Controller()
export class ChatController {
  readonly #gate: AnswerGate;
  readonly #answers: HttpAnswers;

  constructor(@Inject(ANSWER_GATE) gate: AnswerGate, @Inject(HttpAnswers) answers: HttpAnswers) {
    this.#gate = gate;
    this.#answers = answers;
  }

  @Post('v1/chat/completions')
  @HttpCode(200)
  async complete(
    @Body({ schema: chatRequest }) body: ChatRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const question = questionOf(body);
    const model = findModel(body.model, this.#gate.models(), 'chat').root;
    const completion = { id: `chatcmpl-${request.id}`, created: Math.floor(Date.now() / 1000), model };
    const { query, k } = question;
    request.exchange.note({
      queryLength: query.length,
      messages: body.messages.length,
      k,
      streamed: body.stream === true,
    });
    const asked = { request, reply, field: 'messages' };
    if (body.stream === true) {
      const chunks = chunksOf(completion, body.stream_options?.include_usage === true);
      await this.#answers.stream(question, chunks, asked);
    } else reply.send(completionOf(completion, await this.#answers.answer(question, asked)));
  }
}
