/** What does the API server say when it refuses? */
import { z } from 'zod';

/** The API server's refusal, in its words. */
export class KubernetesError extends Error {
  override readonly name = 'KubernetesError';
  /** The HTTP status. */
  readonly status: number;
  /** Of the answer, such as `NotFound`, `AlreadyExists` or `Conflict`; empty where something else answered. */
  readonly reason: string;

  constructor(status: number, message: string, reason = '') {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** Of the kind `Status`. */
const statusSchema = z.object({
  code: z.number().optional(),
  message: z.string().optional(),
  reason: z.string().optional(),
});

/** @param object of the kind `Status`; @param otherwise the HTTP status where it has none */
export function refusal(object: unknown, otherwise: number): KubernetesError {
  const { code, message, reason } = statusSchema.parse(object);
  const status = code ?? otherwise;
  return new KubernetesError(status, message || `the API server answered ${status}`, reason);
}

/** @param body of an answer with the HTTP status `status`, of which only the beginning may be there */
export function refusalIn(body: string, status: number): KubernetesError {
  try {
    return refusal({ ...(JSON.parse(body) as object), code: status }, status);
  } catch {
    return refusal({ message: body.slice(0, 200) }, status);
  }
}
