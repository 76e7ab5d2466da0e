/** What has Prometheus answered? A vector of numbers with labels, or why there is none. */
import { z } from 'zod';

export interface Row {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of which moment, by the clock of the server, in milliseconds. */
  readonly at: number;
}

export interface Vector {
  readonly rows: readonly Row[];
}

/** In words, beginning with what was the matter. */
export class PrometheusError extends Error {
  override readonly name = 'PrometheusError';
}

const sampleSchema = z.object({
  metric: z.record(z.string(), z.string()),
  value: z.tuple([z.number(), z.string().regex(/^(?:[-+]?[0-9.]+(?:e[-+]?[0-9]+)?|[-+]Inf|NaN)$/)]),
});

/** https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview */
const answerSchema = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('success'),
    data: z.object({ resultType: z.literal('vector'), result: z.array(sampleSchema) }),
    warnings: z.array(z.string()).optional(),
  }),
  z.object({ status: z.literal('error'), errorType: z.string().optional(), error: z.string().optional() }),
]);

const LONGEST_WORDS = 300;

/**
 * A vector that comes with warnings is refused: part of the data was not there, or not as the query takes them to be, and a sum of a part
 * looks like little load.
 * @throws PrometheusError
 */
export function readAnswer(statusCode: number, body: string): Vector {
  const answer = answerSchema.safeParse(jsonOf(body));
  if (answer.success && answer.data.status === 'error') {
    const { errorType = 'error', error = 'without a reason' } = answer.data;
    throw new PrometheusError(`it refuses: ${errorType}: ${shortened(error)}`);
  }
  if (statusCode !== 200) throw new PrometheusError(statusWords(statusCode));
  if (!answer.success) {
    const [issue] = answer.error.issues;
    const at = issue === undefined || issue.path.length === 0 ? '' : ` (${issue.path.join('.')}: ${issue.message})`;
    throw new PrometheusError(`it answers with something that is no vector of Prometheus' API${at}`);
  }
  const { data, warnings = [] } = answer.data as Extract<z.output<typeof answerSchema>, { status: 'success' }>;
  if (warnings.length > 0) throw new PrometheusError(`it warns: ${shortened(warnings.join('; '))}`);
  return {
    rows: data.result.map(({ metric, value: [at, text] }) => ({
      labels: metric,
      value: numberOf(text),
      at: 1_000 * at,
    })),
  };
}

function statusWords(status: number): string {
  if (status === 401 || status === 403) return `it answers ${status}: it wants a token that allows to query`;
  if (status >= 300 && status < 400) {
    return `it answers ${status}, and a redirect is not followed: give the URL that it points to`;
  }
  return `it answers ${status}`;
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

function shortened(words: string): string {
  const line = words.replace(/\s+/g, ' ').trim();
  return line.length > LONGEST_WORDS ? `${line.slice(0, LONGEST_WORDS)}...` : line;
}
