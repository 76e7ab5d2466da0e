/** When is the error budget used up too fast? */
import { PLACEHOLDERS } from './parameters.ts';
import { badShare, COUNTED, INTERVAL_SECONDS, type Window } from './recording.ts';
import type { AlertingRule, RuleGroup, Severity } from './rule.ts';

interface BurnRate {
  readonly factor: number;
  /** Over which it is true, and over which it still is: the alert ends soon after the trouble. */
  readonly long: Window;
  readonly short: Window;
  readonly for: string;
  readonly severity: Severity;
}

/** Windows and factors of "The Site Reliability Workbook", chapter 5, for a budget of 30 days. */
const BURN_RATES: readonly BurnRate[] = [
  { factor: 14.4, long: '1h', short: '5m', for: '2m', severity: 'critical' },
  { factor: 6, long: '6h', short: '30m', for: '5m', severity: 'critical' },
  { factor: 3, long: '1d', short: '2h', for: '15m', severity: 'warning' },
  { factor: 1, long: '3d', short: '6h', for: '1h', severity: 'warning' },
];

/** A low percentile allows so many bad ones that 14.4 times as many do not exist: then nearly all being bad is enough. */
const NEARLY_ALL = 0.9;

/** At night one slow answer may be all there is: that wakes nobody. */
const LEAST_REQUESTS = 10;

function burnRateAlert({ factor, long, short, for: lasting, severity }: BurnRate): AlertingRule {
  const threshold = `scalar(clamp_max(vector(${factor} * (1 - ${PLACEHOLDERS.OBJECTIVE_PERCENT} / 100)), ${NEARLY_ALL}))`;
  const over = (window: Window) => `${badShare(window)}{namespace="${PLACEHOLDERS.NAMESPACE}"} > ${threshold}`;
  const requests = `sum_over_time(${COUNTED}{namespace="${PLACEHOLDERS.NAMESPACE}"}[${long}]) * ${INTERVAL_SECONDS}`;
  return {
    alert: `RagscaleErrorBudgetBurn${long}`,
    expr: `${over(long)}\nand\n${over(short)}\nand\n${requests} >= ${LEAST_REQUESTS}`,
    for: lasting,
    severity,
    summary: 'Route {{ $labels.route }} in {{ $labels.namespace }} misses its objective.',
    description: `{{ $value | humanizePercentage }} of the requests of the last ${long} were not answered within ${PLACEHOLDERS.OBJECTIVE_SECONDS} s, and those of the last ${short} are no better: ${factor} times what ${PLACEHOLDERS.OBJECTIVE_PERCENT}% allows.`,
  };
}

export const BURN_RATE_GROUP: RuleGroup = {
  name: 'ragscale.burn-rate',
  interval: `${INTERVAL_SECONDS}s`,
  rules: BURN_RATES.map(burnRateAlert),
};
