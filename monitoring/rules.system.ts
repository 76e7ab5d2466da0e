/** What promtool makes of the rules: are they right, and does each alert fire when it should and only then? */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingPrograms, whereMissing } from '../test/support/prometheus.ts';
import { ALERT_CASES, type AlertCase } from './rules/alert-cases.ts';
import { ALERTS, RULE_GROUPS } from './rules/groups.ts';
import { fillIn, type RuleParameters } from './rules/parameters.ts';
import { COUNTED, GOOD, INTERVAL_SECONDS } from './rules/recording.ts';
import { renderRules } from './rules/render-rules.ts';
import type { AlertingRule } from './rules/rule.ts';
import { promtool, type Said } from './test/promtool.ts';

const skipped = missingPrograms.length > 0;
const PARAMETERS: RuleParameters = {
  NAMESPACE: 'rag',
  OBJECTIVE_SECONDS: '2',
  OBJECTIVE_PERCENT: '95',
  POD_START: '5m',
};

let folder: string;
let rulesFile: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'ragscale-rules-'));
  rulesFile = path.join(folder, 'rules.yaml');
  await writeFile(rulesFile, fillIn(renderRules(RULE_GROUPS), PARAMETERS));
});
afterAll(() => rm(folder, { recursive: true }));

/** What Prometheus makes of the braces in a text. */
function written(text: string, labels: Readonly<Record<string, string>>, value = ''): string {
  return fillIn(text, PARAMETERS).replaceAll(/\{\{ \$(?:labels\.(\w+)|value)[^}]*\}\}/g, (_, label?: string) =>
    label === undefined ? value : (labels[label] ?? ''),
  );
}

async function testRules(rule: AlertingRule, cases: readonly AlertCase[]): Promise<Said> {
  const file = path.join(folder, `${rule.alert}.json`);
  // Days of evaluations: only of what the alert needs.
  const rulesFile = path.join(folder, `${rule.alert}.yaml`);
  const recorded = [...`${rule.expr} ${COUNTED} ${GOOD}`.matchAll(/namespace_route:\w+:\w+/g)].map(([name]) => name);
  const needed = RULE_GROUPS.map((group) => ({
    ...group,
    rules: group.rules.filter((each) => each === rule || ('record' in each && recorded.includes(each.record))),
  }));
  await writeFile(rulesFile, fillIn(renderRules(needed.filter(({ rules }) => rules.length > 0)), PARAMETERS));
  const tests = cases.map(({ what, series, at, fires = [] }) => ({
    name: what,
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [
      {
        alertname: rule.alert,
        eval_time: at,
        exp_alerts: fires.map(({ labels, value }) => ({
          exp_labels: { ...labels, severity: rule.severity },
          exp_annotations: {
            summary: written(rule.summary, labels),
            description: written(rule.description, labels, value),
            runbook: `docs/alerts.md#${rule.alert.toLowerCase()}`,
          },
        })),
      },
    ],
  }));
  await writeFile(
    file,
    JSON.stringify({ rule_files: [rulesFile], evaluation_interval: `${INTERVAL_SECONDS}s`, tests }),
  );
  return promtool('test', 'rules', file);
}

it.skipIf(skipped)(`promtool reads the rules${whereMissing}`, async () => {
  const { code, said } = await promtool('check', 'rules', '--lint-fatal', rulesFile);
  expect(said).toContain(`SUCCESS: ${RULE_GROUPS.flatMap(({ rules }) => rules).length} rules found`);
  expect(code).toBe(0);
});

it('there are cases for each alert, of both kinds', () => {
  expect(Object.keys(ALERT_CASES)).toEqual(ALERTS.map(({ alert }) => alert));
  for (const [alert, cases] of Object.entries(ALERT_CASES))
    expect(new Set(cases.map(({ fires }) => fires !== undefined)), alert).toEqual(new Set([true, false]));
});

describe.skipIf(skipped)(`alerts fire, and do not${whereMissing}`, () => {
  it.each(ALERTS.map((rule) => [rule.alert, rule] as const))('%s', { timeout: 300_000 }, async (alert, rule) => {
    const { code, said } = await testRules(rule, ALERT_CASES[alert] ?? []);
    expect(said).toMatch(/SUCCESS\s*$/);
    expect(code).toBe(0);
  });

  it('which promtool notices if it is otherwise', async () => {
    const rule = ALERTS.find(({ alert }) => alert === 'RagscaleNoAblePods')!;
    const cases = ALERT_CASES[rule.alert] ?? [];
    const other = cases.map(({ fires, ...rest }) => (fires ? rest : { ...rest, fires: [{ labels: {} }] }));
    for (const each of other) expect((await testRules(rule, [each])).code, each.what).not.toBe(0);
  });
});
