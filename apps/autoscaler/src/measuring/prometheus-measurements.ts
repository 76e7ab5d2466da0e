/** What does Prometheus know of the targets? A round of queries, as many for one target as for hundreds. */
import type { Reading } from '@ragscale/scaling/observation';
import type { Clock } from '@ragscale/service/clock';
import { METRICS } from '@ragscale/service/metric-catalogue';
import type { Measured, MeasuredTarget, Measurements } from '../measurements.ts';
import type { Target } from '../target.ts';
import { BoundsMemory, type ChosenBound } from './bounds-memory.ts';
import { PrometheusError } from './prometheus-answer.ts';
import { PrometheusClient, type PrometheusClientOptions } from './prometheus-client.ts';
import { PrometheusRound } from './prometheus-round.ts';
import { QUERIES } from './promql.ts';
import { EMPTY, FAILED, windowed } from './readings.ts';
import { ReadySince, scrapedByNow } from './ready-since.ts';
import { ScrapeIntervals } from './scrape-intervals.ts';
import { judge, staleAfterMs } from './signals.ts';
import { isCovered, type Windows, windowsFor } from './windows.ts';

export interface PrometheusMeasurementsOptions extends PrometheusClientOptions {
  readonly clock: Clock;
}

/** What is asked for one target. */
interface Questions {
  readonly target: Target;
  readonly windows: Windows;
  readonly bound: ChosenBound | undefined;
}

/** A target that is left out of a round or two, because it could not be looked at, is still the same. */
const FORGOTTEN_AFTER_MS = 600_000;

export class PrometheusMeasurements implements Measurements {
  readonly #client: PrometheusClient;
  readonly #clock: Clock;
  readonly #bounds = new BoundsMemory();
  readonly #intervals = new ScrapeIntervals();
  readonly #readySince = new ReadySince();
  /** When each target was asked for last. */
  readonly #askedAt = new Map<string, number>();
  /** By target, those that were seen last. */
  readonly #proxies = new Map<string, readonly string[]>();

  /** @throws TypeError where the URL is none */
  constructor({ clock, ...client }: PrometheusMeasurementsOptions) {
    this.#client = new PrometheusClient(client);
    this.#clock = clock;
  }

  async measure(targets: readonly MeasuredTarget[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    const troubles = await this.#learnBounds(targets, signal);
    const asked = targets.map(({ target }) => this.#questionsFor(target));
    const written = [...new Set(asked.flatMap(({ bound }) => bound?.written ?? []))].sort();
    const names = namesOfQueries(asked, written);
    const answers = targets.length === 0 ? new Map() : await this.#client.askAll(names.keys(), signal);
    const round = new PrometheusRound(answers, names);
    const now = this.#clock.now();
    for (const [proxy, sighting] of round.sightings()) this.#intervals.observe(proxy, sighting, now);
    this.#forgetGone(targets, now);
    return new Map(
      targets.map((measured, index) => {
        const readings = this.#read(measured, asked[index]!, round, written, [...troubles, ...round.troubles]);
        return [measured.target.id, readings];
      }),
    );
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #forgetGone(targets: readonly MeasuredTarget[], now: number): void {
    for (const { target } of targets) this.#askedAt.set(target.id, now);
    for (const [id, at] of this.#askedAt) {
      if (now - at <= FORGOTTEN_AFTER_MS) continue;
      for (const known of [this.#askedAt, this.#proxies, this.#readySince]) known.delete(id);
    }
    this.#intervals.forgetGone(now);
  }

  /** @returns why it could not, in words; what was known before is still good */
  async #learnBounds(targets: readonly MeasuredTarget[], signal: AbortSignal): Promise<string[]> {
    const now = this.#clock.now();
    const routes = targets.map(({ target }) => [target.namespace, target.route] as const);
    if (routes.length === 0 || !this.#bounds.isDue(routes, now)) return [];
    const query = QUERIES.bounds();
    const answer = (await this.#client.askAll([query], signal)).get(query);
    if (answer instanceof PrometheusError) return [`Prometheus: ${answer.message}`];
    if (answer !== undefined) this.#bounds.learn(answer.rows, now);
    return [];
  }

  #questionsFor(target: Target): Questions {
    const windows = windowsFor(target.policy, this.#intervals.longestOf(this.#proxies.get(target.id) ?? []));
    const { latencyMs } = target.policy.objective;
    return { target, windows, bound: this.#bounds.choose(target.namespace, target.route, latencyMs) };
  }

  #read(
    { target, readyPods }: MeasuredTarget,
    { windows, bound }: Questions,
    round: PrometheusRound,
    written: readonly string[],
    troubles: readonly string[],
  ): Measured {
    const now = this.#clock.now();
    const freshness = round.freshness(target);
    if (freshness !== undefined && freshness.proxies.length > 0) this.#proxies.set(target.id, freshness.proxies);
    const intervalMs = this.#intervals.longestOf(this.#proxies.get(target.id) ?? []);
    const twice = round.twice(target);
    const isComplete = round.isComplete(target);
    const uncovered: string[] = [];
    const arrivals = (windowMs: number): Reading => {
      const { perSecond, samples } = round.arrivals(windowMs, target);
      if (!isComplete || perSecond.kind === 'failed' || isCovered(samples, windowMs, intervalMs)) {
        return isComplete ? perSecond : FAILED;
      }
      uncovered.push(`${windowMs / 1_000} s`);
      return EMPTY;
    };
    const arrivalRates = windowed(windows.arrivalsMs, arrivals);
    const longest = arrivalRates.at(-1)!.reading;
    const service = (query: string) => (twice === undefined ? round.reading(query, target, 1_000) : FAILED);
    const since = this.#readySince.observe(target.id, readyPods, now);
    const pods = round.pods(target.namespace, scrapedByNow(since, target, intervalMs, now), staleAfterMs(intervalMs));
    const { longestMs } = windows;
    return judge({
      windows,
      arrivalRates,
      proxyWaiting: twice === undefined ? round.reading(QUERIES.gauges(), target) : FAILED,
      pods,
      // In the same proxies' samples of the same window.
      completionRate: longest.kind === 'value' ? round.reading(QUERIES.completionRate(longestMs), target) : longest,
      serviceMs: service(QUERIES.serviceSeconds(longestMs)),
      serviceP95Ms: service(QUERIES.serviceQuantileSeconds(longestMs)),
      badShares: windowed(windows.badSharesMs, (windowMs) => {
        if (twice !== undefined || !this.#bounds.isTold) return FAILED;
        const query = bound === undefined ? undefined : QUERIES.goodShare(windowMs, written);
        return round.badShare(query, target, bound?.written ?? []);
      }),
      ageMs: freshness === undefined ? 'failed' : freshness.ageMs,
      podAgeMs: pods.ageMs,
      lostProxies: round.lostProxies(target) ?? [],
      scrapeIntervalMs: intervalMs,
      boundMs: bound === undefined ? undefined : 1_000 * bound.seconds,
      troubles: [
        ...troubles,
        freshness?.proxies.length === 0 ? noSeries(target) : undefined,
        freshness !== undefined && freshness.proxies.length > 0 && uncovered.length > 0
          ? tooFewSamples(uncovered)
          : undefined,
        twice,
        bound === undefined && this.#bounds.isKnown(target.namespace, target.route) ? noBound(target) : undefined,
      ],
    });
  }
}

/** By their texts: what several targets ask is asked once. */
function namesOfQueries(asked: readonly Questions[], written: readonly string[]): Map<string, string> {
  const names = new Map([
    [QUERIES.gauges(), 'queues'],
    [QUERIES.sightings(), 'the age of samples'],
    [QUERIES.lostProxies(), 'lost proxies'],
    [QUERIES.scrapedTwice(), 'pods that are scraped twice'],
  ]);
  for (const { windows, bound } of asked) {
    for (const windowMs of windows.arrivalsMs) names.set(QUERIES.arrivals(windowMs), 'arrivals');
    names.set(QUERIES.completionRate(windows.longestMs), 'completions');
    names.set(QUERIES.serviceSeconds(windows.longestMs), 'times of service');
    names.set(QUERIES.serviceQuantileSeconds(windows.longestMs), 'times of service');
    if (bound === undefined) continue;
    for (const windowMs of windows.badSharesMs) names.set(QUERIES.goodShare(windowMs, written), 'good answers');
  }
  return names;
}

function noSeries({ namespace, route }: Target): string {
  const where = namespace === '' ? '' : ` with namespace="${namespace}"`;
  return `there is no ${METRICS.proxyWaiting.name} of the route ${route}${where}: is the proxy scraped, and is this its route?`;
}

function tooFewSamples(windows: readonly string[]): string {
  return `too few samples for the arrivals of the last ${windows.join(', ')}`;
}

function noBound({ policy }: Target): string {
  return `no bound of ${METRICS.proxyRequestDuration.name} is as low as the objective of ${policy.objective.latencyMs} ms: set the proxy's objective to it`;
}
