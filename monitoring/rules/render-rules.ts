/** How are the rules written down for Prometheus? */
import type { AlertingRule, RecordingRule, RuleGroup } from './rule.ts';

const HEADER = `# Recording rules and alerts; docs/alerts.md says what to do about each. Rendered by \`npm run monitoring:render\`: do not edit.
# The chart puts in, as plain text, what stands between double underscores: NAMESPACE (of the release), OBJECTIVE_SECONDS (2), OBJECTIVE_PERCENT (95), POD_START (5m);
# and leaves out the group ragscale.autoscaler where there is no autoscaler. Where metrics are scraped their own labels must win (honorLabels).
`;

/** Every text is a block or in single quotes, so that nothing in it means anything to YAML. */
export function renderRules(groups: readonly RuleGroup[]): string {
  const lines = groups.flatMap(({ name, interval, rules }) => [
    `  - name: ${name}`,
    `    interval: ${interval}`,
    '    rules:',
    ...rules.flatMap((rule) => ('alert' in rule ? alertLines(rule) : recordLines(rule))),
  ]);
  return `${HEADER}groups:\n${lines.join('\n')}\n`;
}

function recordLines({ record, expr }: RecordingRule): string[] {
  return [`      - record: ${record}`, ...blockLines(expr)];
}

function alertLines({ alert, expr, for: lasting, severity, summary, description }: AlertingRule): string[] {
  return [
    `      - alert: ${alert}`,
    ...blockLines(expr),
    `        for: ${lasting}`,
    '        labels:',
    `          severity: ${severity}`,
    '        annotations:',
    `          summary: ${quoted(summary)}`,
    `          description: ${quoted(description)}`,
    `          runbook: ${quoted(`docs/alerts.md#${alert.toLowerCase()}`)}`,
  ];
}

function blockLines(expr: string): string[] {
  return ['        expr: |-', ...expr.split('\n').map((line) => `          ${line}`)];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
