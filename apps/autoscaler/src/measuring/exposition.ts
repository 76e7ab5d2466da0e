/** What stands in an answer to GET /metrics? Prometheus' text format, as strictly as our own processes write it. */

export interface ExposedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Names the line, and never what stands in it. */
export class ExpositionError extends Error {
  override readonly name = 'ExpositionError';
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(,|(?=\}))/y;
/** A time behind the value is nothing that we write. */
const VALUE = /^ (\S+)$/;

/**
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
 * @param wanted names of the samples that are returned; every line is checked
 * @throws ExpositionError
 */
export function parseExposition(text: string, wanted: ReadonlySet<string>): ExposedSample[] {
  const samples: ExposedSample[] = [];
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const sample = parseLine(line);
    if (sample === undefined) throw new ExpositionError(`line ${index + 1} of ${lines.length} is no sample`);
    if (wanted.has(sample.name)) samples.push(sample);
  }
  return samples;
}

function parseLine(line: string): ExposedSample | undefined {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) return undefined;
  const labels: Record<string, string> = {};
  let at = name.length;
  if (line[at] === '{') {
    at += 1;
    while (line[at] !== '}') {
      LABEL.lastIndex = at;
      const found = LABEL.exec(line);
      if (found === null) return undefined;
      labels[found[1]!] = found[2]!.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
      at = LABEL.lastIndex;
    }
    at += 1;
  }
  const value = numberOf(VALUE.exec(line.slice(at))?.[1]);
  return value === undefined ? undefined : { name, labels, value };
}

/** As Go reads it: `Nan` is what prom-client writes. */
function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (/^[-+]?inf$/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? Number(text) : undefined;
}
