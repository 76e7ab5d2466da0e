/** Wires the pod: controllers, and what they are given. */
import { type DynamicModule, Module } from '@nestjs/common';
import type { Lifecycle } from '@ragscale/service/lifecycle';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import type { AnswerGate } from './answer-gate.ts';
import type { Configuration } from './configuration.ts';
import { HealthController } from './health.controller.ts';
import { HttpAnswers } from './http-answers.ts';
import { MetricsController } from './metrics.controller.ts';
import { ChatController } from './openai/chat.controller.ts';
import { EmbeddingsController } from './openai/embeddings.controller.ts';
import { ModelsController } from './openai/models.controller.ts';
import { RagController } from './rag.controller.ts';
import { ANSWER_GATE, LIFECYCLE, METRICS } from './tokens.ts';
import type { Withdrawals } from './withdrawals.ts';

export interface PodParts {
  readonly configuration: Configuration;
  readonly lifecycle: Lifecycle;
  readonly metrics: PodMetrics;
  readonly gate: AnswerGate;
  readonly withdrawals: Withdrawals;
}

@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: Nest names modules by their class.
export class AppModule {
  static of(parts: PodParts): DynamicModule {
    return {
      module: AppModule,
      controllers: [
        RagController,
        ChatController,
        EmbeddingsController,
        ModelsController,
        HealthController,
        MetricsController,
      ],
      providers: [
        { provide: LIFECYCLE, useValue: parts.lifecycle },
        { provide: METRICS, useValue: parts.metrics },
        { provide: ANSWER_GATE, useValue: parts.gate },
        { provide: HttpAnswers, useValue: new HttpAnswers(parts) },
      ],
    };
  }
}
