/** POST /v1/embeddings: texts in, vectors out. */
import { setImmediate as breathe } from 'node:timers/promises';
import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ServiceError } from '@ragscale/service/error-catalogue';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerGate } from '../answer-gate.ts';
import { HttpAnswers } from '../http-answers.ts';
import { ANSWER_GATE } from '../tokens.ts';
import { type EmbeddingsRequest, type EmbeddingsResponse, embeddingsRequest } from './embeddings.schema.ts';
import { findModel } from './served-models.ts';

/** Vectors that are written between two turns of the event loop: as text, 256 of them would hold it up for 20 ms. */
const VECTORS_PER_TURN = 16;

type Encode = (vector: Float32Array) => EmbeddingsResponse['data'][number]['embedding'];

@Controller()
export class EmbeddingsController {
  readonly #gate: AnswerGate;
  readonly #answers: HttpAnswers;

  constructor(@Inject(ANSWER_GATE) gate: AnswerGate, @Inject(HttpAnswers) answers: HttpAnswers) {
    this.#gate = gate;
    this.#answers = answers;
  }

  @Post('v1/embeddings')
  @HttpCode(200)
  async embed(
    @Body({ schema: embeddingsRequest }) body: EmbeddingsRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const models = this.#gate.models();
    const model = findModel(body.model, models, 'embeddings').root;
    refuseOtherDimensions(body.dimensions, models.embedder.dimensions.hidden);
    const texts = typeof body.input === 'string' ? [body.input] : body.input;
    request.exchange.note({ inputs: texts.length });
    const asked = { request, reply, field: 'input' };
    const { vectors, tokens } = await this.#answers.embed(texts, body.input_type ?? 'passage', asked);
    const data = await renderData(vectors, body.encoding_format === 'base64' ? toBase64 : toNumbers);
    const rest: Omit<EmbeddingsResponse, 'data'> = {
      object: 'list',
      model,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
    reply
      .header('content-type', 'application/json; charset=utf-8')
      .send(`${JSON.stringify(rest).slice(0, -1)},"data":[${data}]}`);
  }
}

/** The entries of `data` as JSON, without what is around them. */
async function renderData(vectors: readonly Float32Array[], encode: Encode): Promise<string> {
  const entries: string[] = [];
  for (const [index, vector] of vectors.entries()) {
    if (index % VECTORS_PER_TURN === VECTORS_PER_TURN - 1) await breathe();
    const entry: EmbeddingsResponse['data'][number] = { object: 'embedding', index, embedding: encode(vector) };
    entries.push(JSON.stringify(entry));
  }
  return entries.join(',');
}

function refuseOtherDimensions(asked: number | undefined, offered: number): void {
  if (asked === undefined || asked === offered) return;
  throw new ServiceError(
    'unsupported',
    { what: `dimensions: ${asked} (the model has ${offered})` },
    { param: 'dimensions' },
  );
}

function toNumbers(vector: Float32Array): number[] {
  return [...vector];
}

/** Little-endian whatever the machine, as OpenAI's clients read it. */
function toBase64(vector: Float32Array): string {
  const bytes = Buffer.allocUnsafe(vector.length * Float32Array.BYTES_PER_ELEMENT);
  vector.forEach((value, index) => {
    bytes.writeFloatLE(value, index * Float32Array.BYTES_PER_ELEMENT);
  });
  return bytes.toString('base64');
}
