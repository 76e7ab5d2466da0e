/** Wires the pod: controllers, and what they are given. */
import { type DynamicModule, Module } from '@nestjs/common';
import type { Lifecycle } from '@ragscale/service/lifecycle';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import type { AnswerGate } from './answer-gate.ts';
import type { Configuration } from './configuration.ts';
import { HealthController } from './health.controller.ts';
import { MetricsController } from './metrics.controller.ts';
import { RagController } from './rag.controller.ts';
import { ANSWER_GATE, CONFIGURATION, LIFECYCLE, METRICS, WITHDRAWALS } from './tokens.ts';
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
      controllers: [RagController, HealthController, MetricsController],
      providers: [
        { provide: CONFIGURATION, useValue: parts.configuration },
        { provide: LIFECYCLE, useValue: parts.lifecycle },
        { provide: METRICS, useValue: parts.metrics },
        { provide: ANSWER_GATE, useValue: parts.gate },
        { provide: WITHDRAWALS, useValue: parts.withdrawals },
      ],
    };
  }
}
