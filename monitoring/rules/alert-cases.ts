/** When does each alert fire, and when does it not? Series in promtool's notation, a sample each minute. */

export interface AlertCase {
  readonly what: string;
  readonly series: Readonly<Record<string, string>>;
  /** When the alert is looked at. */
  readonly at: string;
  /** Labels and, in short, the value in the description; none: it does not fire. */
  readonly fires?: readonly { readonly labels: Readonly<Record<string, string>>; readonly value?: string }[];
}

const MINUTES_OF_A_DAY = 1_440;
const route = { namespace: 'rag', route: 'batched' };
const target = { namespace: 'rag', name: 'batched' };
const scraped = 'namespace="rag", pod="proxy-0", route="batched"';
const duration = 'ragscale_proxy_request_duration_seconds';

interface Traffic {
  /** Requests a minute: within the objective, over it, refused, and cancelled or wrong. */
  readonly good?: number;
  readonly late?: number;
  readonly refused?: number;
  readonly clients?: number;
  readonly minutes: number;
  /** How Prometheus writes the bound. */
  readonly le?: string;
}

function traffic({ good = 0, late = 0, refused = 0, clients = 0, minutes, le = '2' }: Traffic): Record<string, string> {
  const counter = (perMinute: number) => `0+${perMinute}x${minutes}`;
  return {
    [`${duration}_bucket{${scraped}, status="200", le="${le}"}`]: counter(good),
    [`${duration}_bucket{${scraped}, status="200", le="+Inf"}`]: counter(good + late),
    [`${duration}_count{${scraped}, status="200"}`]: counter(good + late),
    [`${duration}_bucket{${scraped}, status="429", le="${le}"}`]: counter(refused),
    [`${duration}_count{${scraped}, status="429"}`]: counter(refused),
    [`${duration}_bucket{${scraped}, status="499", le="${le}"}`]: counter(clients),
    [`${duration}_count{${scraped}, status="499"}`]: counter(clients),
    [`${duration}_count{${scraped}, status="400"}`]: counter(clients),
  };
}

/** Bad for so long, then good again. */
function recovered(badMinutes: number, goodMinutes: number): Record<string, string> {
  const end = 60 * badMinutes;
  const total = `0+60x${badMinutes} ${end + 60}+60x${goodMinutes - 1}`;
  return {
    [`${duration}_bucket{${scraped}, status="200", le="2"}`]: `0x${badMinutes} 60+60x${goodMinutes - 1}`,
    [`${duration}_count{${scraped}, status="200"}`]: total,
  };
}

function replicas(counts: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(counts).map(([kind, values]) => [
    `ragscale_autoscaler_replicas{namespace="rag", name="batched", kind="${kind}"}`,
    values,
  ]);
  return Object.fromEntries(entries);
}

const endpoints = (state: string, pod = 'proxy-0') =>
  `ragscale_proxy_endpoints{namespace="rag", pod="${pod}", route="batched", state="${state}"}`;
const slots = (pod: string) => `ragscale_slots{namespace="rag", pod="${pod}", variant="batched"}`;
const outdated = (pod: string) => `ragscale_documents_outdated{namespace="rag", pod="${pod}", variant="batched"}`;
const arrivals = `ragscale_proxy_arrivals_total{${scraped}}`;
const waiting = `ragscale_proxy_waiting{${scraped}}`;
const most = 'ragscale_autoscaler_term{namespace="rag", name="batched", term="max"}';
/** Whose answers are counted under the route of all traffic here, or under another one. */
const objective = (name: string, ofRoute: string) =>
  `ragscale_autoscaler_objective_seconds{namespace="rag", name="${name}", route="${ofRoute}"}`;
const decisions = (reason: string) =>
  `ragscale_autoscaler_decisions_total{namespace="rag", name="batched", reason="${reason}"}`;
const age = 'ragscale_autoscaler_metric_age_seconds{namespace="rag", name="batched"}';
const leader = (pod: string) => `ragscale_autoscaler_leader{namespace="rag", name="ragscale-autoscaler", pod="${pod}"}`;

/** By alert; for an objective of 95% within 2 s, in the namespace `rag`, with pods that may take 5 minutes to start. */
export const ALERT_CASES: Readonly<Record<string, readonly AlertCase[]>> = {
  RagscaleErrorBudgetBurn1h: [
    {
      what: 'eight of ten too late for more than an hour',
      series: traffic({ good: 12, late: 48, minutes: 80 }),
      at: '70m',
      fires: [{ labels: route, value: '80%' }],
    },
    {
      what: 'nine of ten refused, the bound as Prometheus 3 writes it',
      series: traffic({ good: 6, refused: 54, minutes: 80, le: '2.0' }),
      at: '70m',
      fires: [{ labels: route, value: '90%' }],
    },
    { what: 'six of ten too late', series: traffic({ good: 24, late: 36, minutes: 80 }), at: '70m' },
    { what: 'all was late, and has not been for ten minutes', series: recovered(60, 10), at: '69m' },
    { what: 'all of six requests late in an hour', series: traffic({ late: 0.1, minutes: 80 }), at: '70m' },
    { what: 'clients that cancel and ask wrongly', series: traffic({ good: 6, clients: 90, minutes: 80 }), at: '70m' },
    { what: 'nobody asks', series: traffic({ minutes: 80 }), at: '70m' },
  ],
  RagscaleErrorBudgetBurn6h: [
    {
      what: 'four of ten too late for more than six hours',
      series: traffic({ good: 36, late: 24, minutes: 400 }),
      at: '390m',
      fires: [{ labels: route, value: '40%' }],
    },
    { what: 'two of ten too late', series: traffic({ good: 48, late: 12, minutes: 400 }), at: '390m' },
    { what: 'all was late, and has not been for 40 minutes', series: recovered(300, 41), at: '340m' },
  ],
  RagscaleErrorBudgetBurn1d: [
    {
      what: 'two of ten too late for a day',
      series: traffic({ good: 48, late: 12, minutes: MINUTES_OF_A_DAY + 60 }),
      at: '1490m',
      fires: [{ labels: route, value: '20%' }],
    },
    {
      what: 'one of ten too late',
      series: traffic({ good: 54, late: 6, minutes: MINUTES_OF_A_DAY + 60 }),
      at: '1490m',
    },
  ],
  RagscaleErrorBudgetBurn3d: [
    {
      what: 'eight of a hundred too late for three days',
      series: traffic({ good: 46, late: 4, minutes: 3 * MINUTES_OF_A_DAY + 100 }),
      at: '4400m',
      fires: [{ labels: route, value: '8%' }],
    },
    {
      what: 'four of a hundred too late',
      series: traffic({ good: 48, late: 2, minutes: 3 * MINUTES_OF_A_DAY + 100 }),
      at: '4400m',
    },
  ],
  RagscaleNoAblePods: [
    {
      what: 'requests arrive and every pod is unhealthy',
      series: {
        [endpoints('healthy')]: '0x10',
        [endpoints('unhealthy')]: '3x10',
        [arrivals]: '0+30x10',
        [waiting]: '0x10',
      },
      at: '5m',
      fires: [{ labels: route }],
    },
    {
      what: 'requests wait for pods that do not come',
      series: { [endpoints('healthy')]: '0x10', [arrivals]: '7x10', [waiting]: '5x10' },
      at: '5m',
      fires: [{ labels: route }],
    },
    {
      what: 'it is scaled to zero and nobody asks',
      series: { [endpoints('healthy')]: '0x10', [arrivals]: '7x10', [waiting]: '0x10' },
      at: '5m',
    },
    {
      what: 'one proxy of two has not found the pods yet',
      series: {
        [endpoints('healthy')]: '0x10',
        [endpoints('healthy', 'proxy-1')]: '2x10',
        [arrivals]: '0+30x10',
        [waiting]: '1x10',
      },
      at: '5m',
    },
    {
      what: 'they came up within two minutes',
      series: { [endpoints('healthy')]: '0 0 2x8', [arrivals]: '0+30x10', [waiting]: '5x10' },
      at: '5m',
    },
  ],
  RagscalePodSlowToStart: [
    {
      what: 'one pod of two has no slot for six minutes',
      series: { [slots('a')]: '16x10', [slots('b')]: '0x10' },
      at: '6m',
      fires: [{ labels: { namespace: 'rag', variant: 'batched', pod: 'b' } }],
    },
    {
      what: 'its container was started again after four minutes',
      series: { [slots('b')]: '0x4 _ 0x10' },
      at: '9m',
      fires: [{ labels: { namespace: 'rag', variant: 'batched', pod: 'b' } }],
    },
    { what: 'it began three minutes ago', series: { [slots('b')]: '_x3 0x10' }, at: '7m' },
    { what: 'it was ready, and was started again', series: { [slots('b')]: '16x10 _ 0x10' }, at: '13m' },
    { what: 'it was ready after four minutes', series: { [slots('b')]: '0x3 16x7' }, at: '8m' },
  ],
  RagscaleDocumentsOutdated: [
    {
      what: 'one pod of two cannot use what the documents have become',
      series: { [outdated('a')]: '0x2 1x10', [outdated('b')]: '0x12' },
      at: '9m',
      fires: [{ labels: { namespace: 'rag', variant: 'batched' }, value: '1' }],
    },
    { what: 'they were written again within three minutes', series: { [outdated('a')]: '0x2 1x3 0x8' }, at: '9m' },
    { what: 'they have not changed', series: { [outdated('a')]: '0x20' }, at: '9m' },
  ],
  RagscaleMetricsMissing: [
    {
      what: 'there is no proxy',
      series: { [slots('a')]: '16x10' },
      at: '6m',
      fires: [{ labels: { namespace: 'rag' } }],
    },
    {
      what: 'only another namespace has proxies',
      series: { 'ragscale_proxy_arrivals_total{namespace="other", route="batched"}': '0x10' },
      at: '6m',
      fires: [{ labels: { namespace: 'rag' } }],
    },
    { what: 'there is one that nobody asks', series: { [arrivals]: '0x10' }, at: '6m' },
  ],
  RagscalePodMetricsMissing: [
    {
      what: 'three pods answer and two have metrics',
      series: { [endpoints('healthy')]: '3x10', [slots('a')]: '16x10', [slots('b')]: '16x10' },
      at: '6m',
      fires: [{ labels: { namespace: 'rag' }, value: '3' }],
    },
    {
      what: 'three pods answer and none has metrics',
      series: { [endpoints('healthy')]: '3x10' },
      at: '6m',
      fires: [{ labels: { namespace: 'rag' }, value: '3' }],
    },
    {
      what: 'both have metrics, and two proxies see them',
      series: {
        [endpoints('healthy')]: '2x10',
        [endpoints('healthy', 'proxy-1')]: '2x10',
        [slots('a')]: '16x10',
        [slots('b')]: '16x10',
      },
      at: '6m',
    },
    { what: 'there are none, and none are known', series: { [endpoints('healthy')]: '0x10' }, at: '6m' },
  ],
  RagscaleObjectiveNotMeasured: [
    {
      what: 'the proxies hold answers to 3 s',
      series: traffic({ good: 10, minutes: 10, le: '3' }),
      at: '6m',
      fires: [{ labels: { namespace: 'rag' } }],
    },
    { what: 'there is a bound on it', series: traffic({ good: 10, minutes: 10 }), at: '6m' },
    { what: 'there is one, as Prometheus 3 writes it', series: traffic({ minutes: 10, le: '2.0' }), at: '6m' },
  ],
  RagscaleAutoscalerAtMaximum: [
    {
      what: 'all of five are asked for, and one of ten is late',
      series: {
        ...replicas({ desired: '5x20' }),
        [most]: '5x20',
        [objective('batched', 'batched')]: '2x20',
        ...traffic({ good: 54, late: 6, minutes: 20 }),
      },
      at: '12m',
      fires: [{ labels: target, value: '5' }],
    },
    {
      what: 'there is room for one more',
      series: {
        ...replicas({ desired: '4x20' }),
        [most]: '5x20',
        [objective('batched', 'batched')]: '2x20',
        ...traffic({ good: 54, late: 6, minutes: 20 }),
      },
      at: '12m',
    },
    {
      what: 'five are enough',
      series: {
        ...replicas({ desired: '5x20' }),
        [most]: '5x20',
        [objective('batched', 'batched')]: '2x20',
        ...traffic({ good: 59, late: 1, minutes: 20 }),
      },
      at: '12m',
    },
    {
      what: 'those that are late are of another target in the namespace, which has room',
      series: {
        ...replicas({ desired: '5x20' }),
        [most]: '5x20',
        [objective('batched', 'elsewhere')]: '2x20',
        [objective('other', 'batched')]: '2x20',
        ...traffic({ good: 54, late: 6, minutes: 20 }),
      },
      at: '12m',
    },
  ],
  RagscaleAutoscalerWithoutMetrics: [
    {
      what: 'it decides without data',
      series: { [decisions('no-data')]: '0+12x20', [decisions('load')]: '40x20' },
      at: '10m',
      fires: [{ labels: target }],
    },
    {
      what: 'what it knows is old',
      series: { [decisions('load')]: '0+12x20', [age]: '5 100x20' },
      at: '10m',
      fires: [{ labels: target }],
    },
    {
      what: 'one decision of twelve has no data',
      series: { [decisions('no-data')]: '0+1x20', [decisions('load')]: '0+11x20', [age]: '6x20' },
      at: '10m',
    },
  ],
  RagscaleAutoscalerLeaderMissing: [
    {
      what: 'there is no autoscaler',
      series: { [arrivals]: '0x10' },
      at: '3m',
      fires: [{ labels: { namespace: 'rag' } }],
    },
    {
      what: 'both stand by',
      series: { [leader('a')]: '0x10', [leader('b')]: '0x10' },
      at: '3m',
      fires: [{ labels: { namespace: 'rag', name: 'ragscale-autoscaler' } }],
    },
    { what: 'one decides and one stands by', series: { [leader('a')]: '0x10', [leader('b')]: '1x10' }, at: '3m' },
    {
      what: 'the other takes over within a minute',
      series: { [leader('a')]: '1 0x9', [leader('b')]: '0 0 1x8' },
      at: '5m',
    },
  ],
  RagscaleReplicasNotReady: [
    {
      what: 'two of five do not become ready',
      series: replicas({ current: '5x20', ready: '3x20' }),
      at: '16m',
      fires: [{ labels: target, value: '2' }],
    },
    { what: 'they are after ten minutes', series: replicas({ current: '5x20', ready: '3x10 5x10' }), at: '20m' },
  ],
};
