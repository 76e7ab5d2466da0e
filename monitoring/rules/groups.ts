/** Which rules are there? */
import { AUTOSCALER_GROUP } from './autoscaler-alerts.ts';
import { BURN_RATE_GROUP } from './burn-rate-alerts.ts';
import { OBJECTIVE_GROUP } from './recording.ts';
import type { AlertingRule, RuleGroup } from './rule.ts';
import { SERVING_GROUP } from './serving-alerts.ts';

/** The last one is left out by the chart where the autoscaler is turned off. */
export const RULE_GROUPS: readonly RuleGroup[] = [OBJECTIVE_GROUP, BURN_RATE_GROUP, SERVING_GROUP, AUTOSCALER_GROUP];

export const ALERTS: readonly AlertingRule[] = RULE_GROUPS.flatMap(({ rules }) => rules).filter(
  (rule) => 'alert' in rule,
);
