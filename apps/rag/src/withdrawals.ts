/** When work for a request is given up: its deadline passed, its client went away, or the pod ends. */
import type { ServerResponse } from 'node:http';
import { ServiceError } from '@ragscale/service/error-catalogue';
import type { Call } from './answerer.ts';

/** The client closed the connection: nobody is there to be answered. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

export class Withdrawals {
  readonly #open = new Set<AbortController>();

  /**
   * A signal for the work of one request; dispose it when the work has settled.
   * @param deadlineMs from the request's arrival
   * @param elapsedMs since the request's arrival
   */
  begin(response: ServerResponse, deadlineMs: number, elapsedMs: number): Disposable & Call {
    const controller = new AbortController();
    const onClose = (): void => {
      if (!response.writableFinished) controller.abort(new ClientGoneError('the client closed the connection'));
    };
    const timer = setTimeout(
      () => controller.abort(new ServiceError('deadline_exceeded', { deadlineMs })),
      Math.max(0, deadlineMs - elapsedMs),
    );
    response.once('close', onClose);
    if (response.destroyed) onClose();
    this.#open.add(controller);
    return {
      signal: controller.signal,
      deadlineAt: performance.timeOrigin + performance.now() + deadlineMs - elapsedMs,
      [Symbol.dispose]: () => {
        clearTimeout(timer);
        response.off('close', onClose);
        this.#open.delete(controller);
      },
    };
  }

  /** Gives up everything that is still open. */
  abortAll(): void {
    for (const controller of this.#open)
      controller.abort(new ServiceError('draining', {}, { headers: { connection: 'close' } }));
  }
}
