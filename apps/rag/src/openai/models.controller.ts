/** GET /v1/models: the names that requests may give as `model`. */
import { Controller, Get, Inject, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { AnswerGate } from '../answer-gate.ts';
import { ANSWER_GATE } from '../tokens.ts';
import { type ModelEntry, type ModelList, modelEntryOf } from './models.schema.ts';
import { findModel, servedModels } from './served-models.ts';

@Controller()
export class ModelsController {
  readonly #gate: AnswerGate;
  /** Seconds since the epoch. */
  readonly #created = Math.floor(Date.now() / 1000);

  constructor(@Inject(ANSWER_GATE) gate: AnswerGate) {
    this.#gate = gate;
  }

  @Get('v1/models')
  list(): ModelList {
    const data = servedModels(this.#gate.models()).map((model) => modelEntryOf(model, this.#created));
    return { object: 'list', data };
  }

  /** Names have slashes, written as they are or as %2F. */
  @Get('v1/models/*')
  retrieve(@Req() request: FastifyRequest): ModelEntry {
    const { '*': name = '' } = request.params as { '*'?: string };
    return modelEntryOf(findModel(name, this.#gate.models()), this.#created);
  }
}
