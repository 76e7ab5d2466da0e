/** Which files of the chart are written from here, and what stands in them? */
import { fileURLToPath } from 'node:url';
import { AUTOSCALER } from './dashboards/autoscaler.ts';
import { buildDashboard } from './dashboards/dashboard-plan.ts';
import { OVERVIEW } from './dashboards/overview.ts';
import { SERVING } from './dashboards/serving.ts';
import { RULE_GROUPS } from './rules/groups.ts';
import { renderRules } from './rules/render-rules.ts';

export const DASHBOARDS = [OVERVIEW, SERVING, AUTOSCALER];

const CHART = new URL('../charts/ragscale/', import.meta.url);

/** Text by path. */
export function renderFiles(): ReadonlyMap<string, string> {
  const at = (name: string) => fileURLToPath(new URL(name, CHART));
  return new Map([
    ...DASHBOARDS.map((plan): [string, string] => [
      at(`dashboards/${plan.uid}.json`),
      `${JSON.stringify(buildDashboard(plan), null, 2)}\n`,
    ]),
    [at('files/rules.yaml'), renderRules(RULE_GROUPS)],
  ]);
}
