/** Which share of the requests was bad, over every window that an alert looks at? */
import { METRICS } from '@ragscale/service/metric-catalogue';
import { COUNTED_STATUSES, GOOD_STATUSES, onObjective, rate, series, sumBy } from '../promql.ts';
import { PLACEHOLDERS } from './parameters.ts';
import type { RecordingRule, RuleGroup } from './rule.ts';

export const ROUTE = ['namespace', 'route'] as const;

/** Between two evaluations. */
export const INTERVAL_SECONDS = 60;

/** Requests per second that count, and those of them that were answered well within the objective. */
export const COUNTED = 'namespace_route:ragscale_counted:rate5m';
export const GOOD = 'namespace_route:ragscale_good:rate5m';

/** Short and long windows of the burn-rate alerts. */
export const WINDOWS = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'] as const;
export type Window = (typeof WINDOWS)[number];

export const badShare = (window: Window) => `namespace_route:ragscale_bad:ratio_rate${window}`;

/** Every metric of ours, in the namespace of the release alone. */
export const inNamespace = { namespace: `="${PLACEHOLDERS.NAMESPACE}"` } as const;

const duration = METRICS.proxyRequestDuration;
const good = series(
  duration,
  { ...inNamespace, status: GOOD_STATUSES, le: onObjective(PLACEHOLDERS.OBJECTIVE_SECONDS) },
  '_bucket',
);
const counted = series(duration, { ...inNamespace, status: COUNTED_STATUSES }, '_count');

/** The mean of the rates of five minutes: days of raw samples would be read again at every evaluation. */
function ratioOver(window: Window): RecordingRule {
  const over = (record: string) => {
    const mine = `${record}{namespace="${PLACEHOLDERS.NAMESPACE}"}`;
    return window === '5m' ? mine : `sum_over_time(${mine}[${window}])`;
  };
  return { record: badShare(window), expr: `1 - ${over(GOOD)} / ${over(COUNTED)}` };
}

export const OBJECTIVE_GROUP: RuleGroup = {
  name: 'ragscale.objective',
  interval: `${INTERVAL_SECONDS}s`,
  rules: [
    { record: COUNTED, expr: sumBy(ROUTE, rate(counted, '5m')) },
    { record: GOOD, expr: sumBy(ROUTE, rate(good, '5m')) },
    ...WINDOWS.map(ratioOver),
  ],
};
