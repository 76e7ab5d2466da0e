import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderFiles } from './files.ts';
import { unknownNames } from './known-names.ts';
import { ALERTS, RULE_GROUPS } from './rules/groups.ts';
import { fillIn, PLACEHOLDERS, type RuleParameters } from './rules/parameters.ts';
import { ROUTE } from './rules/recording.ts';
import { renderRules } from './rules/render-rules.ts';

const PARAMETERS: RuleParameters = {
  NAMESPACE: 'rag',
  OBJECTIVE_SECONDS: '0.5',
  OBJECTIVE_PERCENT: '99',
  POD_START: '10m',
};

const rules = RULE_GROUPS.flatMap((group) => group.rules);
const recorded = Object.fromEntries(rules.flatMap((rule) => ('record' in rule ? [[rule.record, ROUTE]] : [])));
const runbook = readFileSync(new URL('../docs/alerts.md', import.meta.url), 'utf8');

describe('the rules', () => {
  it.each(rules.map((rule) => ['alert' in rule ? rule.alert : rule.record, rule.expr]))(
    '%s asks for nothing that is neither in the catalogue nor recorded',
    (_, expr) => {
      expect(unknownNames(fillIn(expr, PARAMETERS), recorded)).toEqual([]);
    },
  );

  it('look at the namespace of the release alone', () => {
    for (const { expr } of rules) {
      const selected = expr.match(/ragscale[\w:]*(\{[^}]*\})?/g) ?? [];
      expect(selected.length).toBeGreaterThan(0);
      for (const each of selected) expect(each, expr).toContain(`{namespace="${PLACEHOLDERS.NAMESPACE}"`);
    }
  });

  it('have every parameter of the chart somewhere, and no other', () => {
    const text = renderRules(RULE_GROUPS);
    const found = new Set(text.match(/__[A-Z_]+?__/g));
    expect(found).toEqual(new Set(Object.values(PLACEHOLDERS)));
    expect(fillIn(text, PARAMETERS)).not.toContain('__');
  });

  it('are in their own file of the chart', () => {
    expect([...renderFiles().keys()].filter((file) => file.endsWith('charts/ragscale/files/rules.yaml'))).toHaveLength(
      1,
    );
  });
});

describe('the alerts', () => {
  it('are named once each', () => {
    const names = ALERTS.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^Ragscale[A-Za-z0-9]+$/);
  });

  it('name in their texts only labels that their series have', () => {
    for (const { alert, expr, summary, description } of ALERTS) {
      const labels = [...`${summary} ${description}`.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
      expect(labels, alert).toContain('namespace');
      for (const label of labels.filter((each) => each !== 'namespace')) {
        const isRecorded = Object.keys(recorded).some((name) => expr.startsWith(name));
        const kept = isRecorded ? ROUTE : (/by \(([^)]*)\)/.exec(expr)?.[1]?.split(', ') ?? []);
        expect(kept, alert).toContain(label);
      }
    }
  });

  it('have one section each in the runbook, which has no others', () => {
    const sections = runbook.split(/^### /m).slice(1);
    expect(sections.map((section) => section.split('\n', 1)[0])).toEqual(ALERTS.map(({ alert }) => alert));
    for (const section of sections)
      expect(section.split('\n').slice(1).join(' ').trim().length, section).toBeGreaterThan(150);
  });
});
