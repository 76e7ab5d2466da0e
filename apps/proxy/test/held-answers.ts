/** A pod that answers when the test says so. */
import type { ServerResponse } from 'node:http';
import { type AskedRequest, answerJson, type Behaviour } from './fake-pod.ts';

interface Held {
  readonly asked: AskedRequest;
  readonly response: ServerResponse;
}

/** Every request waits until it is released, in order of arrival. */
export class HeldAnswers {
  readonly #held: Held[] = [];

  readonly behaviour: Behaviour = (asked, response) => {
    this.#held.push({ asked, response });
  };

  /** Those that wait for their answer, without those whose client has left. */
  get waiting(): readonly AskedRequest[] {
    return this.#held.filter(({ asked }) => !asked.withdrawn()).map(({ asked }) => asked);
  }

  /** Answers the first ones that still wait. */
  release(count = Number.POSITIVE_INFINITY): void {
    for (let left = count; left > 0 && this.#held.length > 0; ) {
      const { asked, response } = this.#held.shift()!;
      if (asked.withdrawn()) continue;
      answerJson(asked, response);
      left -= 1;
    }
  }
}

/** What the client sent as `query`. */
export function queryOf({ body }: AskedRequest): string {
  return (JSON.parse(body) as { query: string }).query;
}
