/** An API server for tests that only answers what it is told to. */
import { KubernetesError } from '@ragscale/kubernetes/kubernetes-error';
import type { Api } from '../src/kubernetes/api.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

export class FakeApi implements Pick<Api, 'request' | 'serverNow'> {
  readonly asked: Asked[] = [];
  /** What it is by its clock, milliseconds since the epoch. */
  now = Date.parse('2026-11-22T10:00:00Z');
  /** Throws what it refuses with. */
  answer: (asked: Asked) => unknown = () => ({});

  readonly request: Api['request'] = async (method, path, { body, schema, signal }) => {
    signal?.throwIfAborted();
    const asked = { method, path, body: structuredClone(body) };
    this.asked.push(asked);
    return schema.parse(await this.answer(asked));
  };

  serverNow(): number {
    return this.now;
  }

  /** As `GET /path`, in their order. */
  get requests(): readonly string[] {
    return this.asked.map(({ method, path }) => `${method} ${path}`);
  }
}

export function refused(status: number, message = `refused with ${status}`): KubernetesError {
  return new KubernetesError(status, message);
}
