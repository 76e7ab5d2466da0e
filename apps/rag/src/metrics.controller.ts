/** GET /metrics: what Prometheus scrapes. */
import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import type { FastifyReply } from 'fastify';
import { METRICS } from './tokens.ts';

@Controller()
export class MetricsController {
  readonly #metrics: PodMetrics;

  constructor(@Inject(METRICS) metrics: PodMetrics) {
    this.#metrics = metrics;
  }

  @Get('metrics')
  async metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    reply.header('content-type', this.#metrics.contentType);
    return this.#metrics.render();
  }
}
