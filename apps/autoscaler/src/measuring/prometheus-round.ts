/** What were the answers of one round, target by target? */
import type { Reading } from '@ragscale/scaling/observation';
import { METRICS } from '@ragscale/service/metric-catalogue';
import { few, PODS_FAILED, type PodGauges, type PodReadings, readPods } from './pod-gauges.ts';
import { PrometheusError, type Row } from './prometheus-answer.ts';
import type { Answers } from './prometheus-client.ts';
import { QUERIES, SAMPLES, SCRAPED } from './promql.ts';
import { countOf, EMPTY, FAILED, readingOf } from './readings.ts';
import type { ScrapeSighting } from './scrape-intervals.ts';
import { podOf, routeOf, VectorIndex } from './vector-index.ts';

/** Whose series, by the labels of the proxies. */
export interface Whose {
  readonly namespace: string;
  readonly route: string;
}

/** What is known of how new a route's numbers are. */
export interface Freshness {
  /** Of the oldest among the proxies' newest samples; undefined where there are none. */
  readonly ageMs: number | undefined;
  /** Those that have samples, by what tells them apart. */
  readonly proxies: readonly string[];
}

export interface Arrivals {
  readonly perSecond: Reading;
  /** That it is made of, see `QUERIES.arrivals`; undefined where nobody could say. */
  readonly samples: number | undefined;
}

export class PrometheusRound {
  /** In words, of the round as a whole. */
  readonly troubles: readonly string[];
  readonly #answers: Answers;
  readonly #byRoute = new Map<string, VectorIndex>();
  readonly #podAges: VectorIndex;
  readonly #podGauges: VectorIndex;
  readonly #podsTwice: VectorIndex;

  /** @param names of the queries that were asked, by their text */
  constructor(answers: Answers, names: ReadonlyMap<string, string>) {
    this.#answers = answers;
    this.troubles = troublesOf(answers, names);
    this.#podAges = new VectorIndex(this.#rows(QUERIES.sightings()) ?? [], podOf);
    this.#podGauges = new VectorIndex(this.#rows(QUERIES.gauges()) ?? [], podOf);
    this.#podsTwice = new VectorIndex(this.#rows(QUERIES.scrapedTwice()) ?? [], podOf);
  }

  /** The number that a query has for a route. */
  reading(query: string, { namespace, route }: Whose, factor = 1): Reading {
    const found = this.#of(query)?.one(namespace, route);
    if (this.#rows(query) === undefined || found === 'several') return FAILED;
    return readingOf(found === undefined ? undefined : found * factor);
  }

  /** @returns undefined where the query was not answered */
  rows(query: string, { namespace, route }: Whose): readonly Row[] | undefined {
    return this.#of(query)?.all(namespace, route);
  }

  /** @returns undefined where nobody could say */
  freshness(whose: Whose): Freshness | undefined {
    const rows = this.rows(QUERIES.sightings(), whose);
    if (rows === undefined) return undefined;
    const ages = rows.map(({ value }) => 1_000 * Math.max(0, value));
    return { ageMs: ages.length === 0 ? undefined : Math.max(...ages), proxies: rows.map(scrapedBy) };
  }

  /** Of each proxy that has samples. */
  *sightings(): Iterable<readonly [proxy: string, sighting: ScrapeSighting]> {
    const rows = this.#rows(QUERIES.sightings()) ?? [];
    const newestAt = new Map<string, number>();
    for (const row of rows) if (routeOf(row) !== undefined) newestAt.set(scrapedBy(row), row.at - 1_000 * row.value);
    for (const row of rows) {
      const proxy = scrapedBy(row);
      const at = newestAt.get(proxy);
      if (routeOf(row) === undefined && row.labels.instance && at !== undefined) {
        yield [proxy, { samples: row.value, newestAt: at }];
      }
    }
  }

  /** Proxies that cannot be scraped; undefined where nobody could say. */
  lostProxies(whose: Whose): readonly string[] | undefined {
    return this.rows(QUERIES.lostProxies(), whose)?.map(({ labels }) => `proxy ${labels.pod || labels.instance}`);
  }

  /** Why a route's sums are no sums; undefined where all is well, or nobody could say. */
  twice(whose: Whose): string | undefined {
    const rows = this.rows(QUERIES.scrapedTwice(), whose) ?? [];
    if (rows.length > 0) {
      return `${few(rows.map(({ labels }) => `proxy ${labels.pod}`))}: scraped by several jobs, which counts all twice`;
    }
    if (whose.namespace !== '') return undefined;
    const seen = this.rows(QUERIES.sightings(), whose) ?? [];
    const namespaces = new Set(seen.map(({ labels }) => labels.namespace ?? ''));
    return namespaces.size > 1
      ? `the route ${whose.route} is in several namespaces: ${few([...namespaces])}`
      : undefined;
  }

  /** Whether it is known that a route's sums are sums of all proxies, and of each once. */
  isComplete(whose: Whose): boolean {
    const isTold = this.rows(QUERIES.scrapedTwice(), whose) !== undefined && this.lostProxies(whose) !== undefined;
    return isTold && this.twice(whose) === undefined;
  }

  arrivals(windowMs: number, whose: Whose): Arrivals {
    const rows = this.rows(QUERIES.arrivals(windowMs), whose);
    if (rows === undefined) return { perSecond: FAILED, samples: undefined };
    const [samples, rates] = [
      rows.filter(({ labels }) => labels.of === SAMPLES),
      rows.filter(({ labels }) => labels.of !== SAMPLES),
    ];
    const perSecond = rates.length > 1 || samples.length > 1 ? FAILED : readingOf(rates[0]?.value);
    return { perSecond, samples: samples[0]?.value };
  }

  /** @param readyPods by name, whether each was ready long enough to have been scraped; @param staleMs what is older counts as not there */
  pods(
    namespace: string,
    readyPods: ReadonlyMap<string, boolean>,
    staleMs: number,
  ): PodReadings & { ageMs: number | undefined } {
    const isAnswered = [QUERIES.gauges(), QUERIES.sightings(), QUERIES.scrapedTwice()].every((query) =>
      this.#rows(query),
    );
    if (!isAnswered) return { ...PODS_FAILED, ageMs: undefined };
    const twice = [...readyPods.keys()].filter((pod) => this.#podsTwice.all(namespace, pod).length > 0);
    if (twice.length > 0) {
      return { ...PODS_FAILED, trouble: `${few(twice)}: scraped by several jobs`, ageMs: undefined };
    }
    let oldest: number | undefined;
    const readings = readPods(readyPods, (pod) => {
      const age = this.#podAges.one(namespace, pod);
      const ageMs = typeof age === 'number' ? 1_000 * Math.max(0, age) : undefined;
      if (ageMs === undefined || ageMs > staleMs) return undefined;
      oldest = Math.max(oldest ?? 0, ageMs);
      return gaugesIn(this.#podGauges.all(namespace, pod));
    });
    return { ...readings, ageMs: oldest };
  }

  /** Share that was not good, by the bound in `written`. */
  badShare(query: string | undefined, whose: Whose, written: readonly string[]): Reading {
    if (query === undefined) return EMPTY;
    const rows = this.rows(query, whose);
    if (rows === undefined) return FAILED;
    const good = rows.filter(({ labels }) => written.includes(labels.le ?? '')).map(({ value }) => value);
    if (good.length === 0) return EMPTY;
    // As many good ones as there are, by sums that round.
    const share = 1 - good.reduce((sum, value) => sum + value, 0);
    return readingOf(share > -1e-9 && share < 0 ? 0 : share);
  }

  #of(query: string): VectorIndex | undefined {
    const known = this.#byRoute.get(query);
    if (known !== undefined) return known;
    const rows = this.#rows(query);
    if (rows === undefined) return undefined;
    const index = new VectorIndex(rows, routeOf);
    this.#byRoute.set(query, index);
    return index;
  }

  #rows(query: string): readonly Row[] | undefined {
    const answer = this.#answers.get(query);
    return answer === undefined || answer instanceof PrometheusError ? undefined : answer.rows;
  }
}

function gaugesIn(rows: readonly Row[]): PodGauges | undefined {
  const of = ({ name }: { readonly name: string }) => {
    const found = rows.filter(({ labels }) => labels.__name__ === name);
    return found.length === 1 ? countOf(found[0]!.value) : undefined;
  };
  const [waiting, running, slots] = [of(METRICS.requestsWaiting), of(METRICS.requestsRunning), of(METRICS.slots)];
  return waiting === undefined || running === undefined || slots === undefined
    ? undefined
    : { waiting, running, slots };
}

function scrapedBy({ labels }: Row): string {
  return SCRAPED.map((label) => labels[label] ?? '').join('\n');
}

/** Each reason once, with what was asked for where something else was answered. */
function troublesOf(answers: Answers, names: ReadonlyMap<string, string>): string[] {
  const byReason = new Map<string, Set<string>>();
  let isAnswered = false;
  for (const [query, answer] of answers) {
    if (!(answer instanceof PrometheusError)) isAnswered = true;
    else byReason.set(answer.message, (byReason.get(answer.message) ?? new Set()).add(names.get(query) ?? query));
  }
  return [...byReason].map(([reason, asked]) =>
    isAnswered ? `Prometheus, asked for ${[...asked].join(', ')}: ${reason}` : `Prometheus: ${reason}`,
  );
}
