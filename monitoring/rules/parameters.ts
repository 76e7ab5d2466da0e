/** What of the rules is the chart's to say? */

/**
 * Stand in rules.yaml between double underscores, and are put in by plain replacement, not as a template: alerts have double braces of their own, which
 * Prometheus fills in.
 */
export interface RuleParameters {
  /** Namespace of the release: another one may have another objective. */
  readonly NAMESPACE: string;
  /** As `OBJECTIVE` of the proxies, in seconds without an exponent: `2`, `0.5`. */
  readonly OBJECTIVE_SECONDS: string;
  /** How many of a hundred answers must be within it: `95`. */
  readonly OBJECTIVE_PERCENT: string;
  /** How long a pod may take until it answers, as a duration of Prometheus: `5m`. */
  readonly POD_START: string;
}

export const PLACEHOLDERS: RuleParameters = {
  NAMESPACE: '__NAMESPACE__',
  OBJECTIVE_SECONDS: '__OBJECTIVE_SECONDS__',
  OBJECTIVE_PERCENT: '__OBJECTIVE_PERCENT__',
  POD_START: '__POD_START__',
};

/** What the chart does. */
export function fillIn(rules: string, parameters: RuleParameters): string {
  return Object.entries(parameters).reduce((text, [name, value]) => text.replaceAll(`__${name}__`, value), rules);
}
