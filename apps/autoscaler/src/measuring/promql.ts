/** What is Prometheus asked? Each signal of all targets in one query; the metrics' names are those of the catalogue. */
import { METRICS } from '@ragscale/service/metric-catalogue';
import { COUNTED_STATUSES, GOOD_STATUSES } from './good-answers.ts';
import { SERVICE_QUANTILE } from './quantile.ts';
import { COUNTED_OVER_MS } from './scrape-intervals.ts';

const arrivals = METRICS.proxyArrivals.name;
const waiting = METRICS.proxyWaiting.name;
const durations = METRICS.proxyRequestDuration.name;
const upstream = METRICS.proxyUpstreamDuration.name;
const slots = METRICS.slots.name;
const podGauges = [METRICS.requestsWaiting.name, METRICS.requestsRunning.name, slots];

/** Whose series: `namespace` and `pod` as service discovery sets them, `route` as the proxy does. */
const ROUTE = 'namespace, route';
const POD = 'namespace, pod';
/** What Prometheus scrapes, by the labels that it gives to each. */
export const SCRAPED = ['namespace', 'pod', 'job', 'instance'] as const;
const SCRAPED_BY = SCRAPED.join(', ');

/** Value of the label `of` of rows that count samples. */
export const SAMPLES = 'samples';

/** A proxy that was away for longer than this counts as new. */
const RETURNED_WITHIN = '10m';
/** A proxy that cannot be scraped for longer than this is not waited for. */
const LOST_WITHIN = '1h';

/** Windows are whole seconds, in milliseconds; a rate has one series by namespace and route. */
export const QUERIES = {
  /**
   * Arrivals per second; and with `of="samples"` how many samples that is made of, of the proxy that has fewest, among those that are there and
   * were there before the window began. 0: none at the beginning or at the end of the window. No such proxy: nobody knows what happened in the
   * window, because the proxies are all new, or what Prometheus knew is lost. In one query, so that both are of one moment.
   */
  arrivals: (windowMs: number) => {
    const window = promDuration(windowMs);
    const quarter = promDuration(windowMs / 4);
    const rate = `sum by (${ROUTE}) (rate(${arrivals}[${window}]))`;
    const wasThere = `last_over_time(${arrivals}[${RETURNED_WITHIN}] offset ${window})`;
    const samples = `(count_over_time(${arrivals}[${window}]) and ${arrivals} and ${wasThere})`;
    const beginning = `count_over_time(${arrivals}[${quarter}] offset ${promDuration((3 * windowMs) / 4)})`;
    const end = `count_over_time(${arrivals}[${quarter}])`;
    const fewest = `min by (${ROUTE}) (${samples} and ${beginning} and ${end} or 0 * ${samples})`;
    return `${rate} or label_replace(${fewest}, "of", "${SAMPLES}", "", "")`;
  },

  /** Requests that wait in the proxies, by namespace and route; three gauges of each pod. Each with its metric's name. */
  gauges: () =>
    `sum by (__name__, ${ROUTE}) (${waiting}) or max by (__name__, ${POD}) ({__name__=~"${podGauges.join('|')}"})`,

  /**
   * How new is it all? In one query, so that it is of one moment: seconds since the newest sample by the clock of the server, of each route of
   * each proxy (with a label `route`) and of each pod (by namespace and pod alone); and of each proxy (with `instance` and no `route`) its samples
   * in the last two minutes.
   */
  sightings: () =>
    [
      `max by (route, ${SCRAPED_BY}) (time() - timestamp(${waiting}))`,
      `max by (${POD}) (time() - timestamp(${slots}))`,
      `max by (${SCRAPED_BY}) (count_over_time(${waiting}[${promDuration(COUNTED_OVER_MS)}]))`,
    ].join(' or '),

  /** Proxies that Prometheus should scrape and cannot. One that was removed in order is none of its targets any more. */
  lostProxies: () =>
    `max by (route, ${SCRAPED_BY}) (last_over_time(${waiting}[${LOST_WITHIN}]) and on (${SCRAPED_BY}) (up == 0))`,

  /** Proxies and pods whose metrics are there more than once, because two jobs scrape them: every sum would count them twice. */
  scrapedTwice: () => `count by (${ROUTE}, pod) (${waiting}{pod!=""}) > 1 or count by (${POD}) (${slots}{pod!=""}) > 1`,

  /** Answers of pods per second. */
  completionRate: (windowMs: number) => `sum by (${ROUTE}) (rate(${upstream}_count[${promDuration(windowMs)}]))`,

  /** Mean time of a pod's answer, in seconds. */
  serviceSeconds: (windowMs: number) => {
    const of = (part: string) => `sum by (${ROUTE}) (rate(${upstream}_${part}[${promDuration(windowMs)}]))`;
    return `${of('sum')} / ${of('count')}`;
  },

  serviceQuantileSeconds: (windowMs: number) =>
    `histogram_quantile(${SERVICE_QUANTILE}, sum by (${ROUTE}, le) (rate(${upstream}_bucket[${promDuration(windowMs)}])))`,

  /** Share of the requests that were good, for each bound. @param bounds values of `le` as they are written */
  goodShare: (windowMs: number, bounds: readonly string[]) => {
    const window = promDuration(windowMs);
    const good = `${durations}_bucket{status=~"${GOOD_STATUSES}", le=~"${bounds.map(literally).join('|')}"}[${window}]`;
    const counted = `${durations}_count{status=~"${COUNTED_STATUSES}"}[${window}]`;
    return `sum by (${ROUTE}, le) (rate(${good})) / on (${ROUTE}) group_left sum by (${ROUTE}) (rate(${counted}))`;
  },

  /** How many proxies have each bound. Every one has answers with status 200, if none yet. */
  bounds: () => `count by (${ROUTE}, le) (${durations}_bucket{status="200"})`,
} as const;

/** @param ms a whole number */
function promDuration(ms: number): string {
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}

/** A label's value as a regular expression in a string: each backslash is doubled once more. */
function literally(value: string): string {
  return value
    .replace(/[\\.+*?()[\]{}|^$]/g, '\\$&')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"');
}
