/** What is a rule of Prometheus made of? */

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

/** critical: answers are lost now, somebody must look at once. warning: they will be, or nobody would know. */
export type Severity = 'critical' | 'warning';

export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  /** How long it must be true. */
  readonly for: string;
  readonly severity: Severity;
  /** One line, with what it is about. */
  readonly summary: string;
  /** What it means for those who ask; what to do stands in docs/alerts.md. */
  readonly description: string;
}

export interface RuleGroup {
  readonly name: string;
  readonly interval: string;
  readonly rules: readonly (RecordingRule | AlertingRule)[];
}
