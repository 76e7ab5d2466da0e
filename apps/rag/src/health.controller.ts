/** Probes: is the process alive, and should it get requests. Neither asks the engine. */
import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ServiceError } from '@ragscale/service/error-catalogue';
import type { Lifecycle } from '@ragscale/service/lifecycle';
import type { AnswerGate } from './answer-gate.ts';
import { ANSWER_GATE, LIFECYCLE } from './tokens.ts';

@Controller()
export class HealthController {
  readonly #lifecycle: Lifecycle;
  readonly #gate: AnswerGate;

  constructor(@Inject(LIFECYCLE) lifecycle: Lifecycle, @Inject(ANSWER_GATE) gate: AnswerGate) {
    this.#lifecycle = lifecycle;
    this.#gate = gate;
  }

  /** A full queue or a long answer must never restart a pod; one whose engine died ends by itself. */
  @Get('livez')
  @Header('cache-control', 'no-store')
  live(): { status: string } {
    return { status: 'ok' };
  }

  @Get('readyz')
  @Header('cache-control', 'no-store')
  ready(): { status: string; device: string } {
    switch (this.#lifecycle.state) {
      case 'ready':
        return { status: 'ok', device: this.#gate.models().device.name };
      case 'starting':
        throw new ServiceError('not_ready', {});
      default:
        throw new ServiceError('draining', {});
    }
  }
}
