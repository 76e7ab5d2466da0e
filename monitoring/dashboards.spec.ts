import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createScaler } from '@ragscale/scaling/scaler';
import { METRICS } from '@ragscale/service/metric-catalogue';
import { describe, expect, it } from 'vitest';
import { observed } from '../packages/scaling/test/observations.ts';
import { TERMS } from './dashboards/autoscaler.ts';
import { buildDashboard } from './dashboards/dashboard-plan.ts';
import { annotationsOf, fillInVariables, panelsOf, queriesOf, variablesIn } from './dashboards/filled-in.ts';
import { GRID_COLUMNS } from './dashboards/panels.ts';
import { DASHBOARDS, renderFiles } from './files.ts';
import { unknownNames } from './known-names.ts';
import { namesIn } from './promql-names.ts';

/** Grafana's own. */
const BUILT_IN = ['__rate_interval', '__range'];
const FILLED_IN = {
  namespace: '.*',
  route: '.*',
  variant: '.*',
  name: '.*',
  objective: '2',
  percentile: '95',
  __rate_interval: '1m',
  __range: '1h',
};

const dashboards = DASHBOARDS.map(buildDashboard);
const byTitle = dashboards.map((dashboard) => [dashboard.title ?? '', dashboard] as const);

/** Names of all that decisions are explained by, from loads that come and go, with pods that do not start and metrics that fail. */
function termsOfTheLaw(): Set<string> {
  const found = new Set<string>();
  const spec = {
    minReplicas: 0,
    maxReplicas: 20,
    objective: { metric: 'duration', latencyMs: 2_000, percentile: 95 },
    behavior: {
      scaleUp: { stabilizationWindowMs: 10_000, policies: [{ type: 'pods', value: 4, periodMs: 15_000 }] },
      scaleDown: { policies: [{ type: 'percent', value: 50, periodMs: 60_000 }] },
    },
    fallback: { replicas: 3 },
    coldStartMs: 30_000,
  } as const;
  const scaler = createScaler(spec, { now: 0, replicas: 2 });
  let replicas = 2;
  for (let round = 0; round < 1_000; round++) {
    const phase = Math.floor(round / 50) % 4;
    const rate = [2, 60, 60, 0][phase] ?? 0;
    const isBlind = round % 50 > 40 && phase === 1;
    const startingAgesMs = phase === 2 ? [400_000] : [];
    const seen = observed(
      { spec: replicas, waiting: phase === 1 ? 50 : 0, running: rate, rate },
      {
        replicas: { spec: replicas, ready: replicas, startingAgesMs },
        ...(isBlind ? { arrivalRates: [{ windowMs: 60_000, reading: { kind: 'failed' } }] } : {}),
      },
    );
    const { replicas: next, terms } = scaler.decide(seen, round * 5_000);
    for (const term of Object.keys(terms)) found.add(term);
    replicas = next;
  }
  return found;
}

describe('the files of the chart', () => {
  it.each([...renderFiles()].map(([file, text]) => [path.basename(file), file, text]))(
    '%s are what `npm run monitoring:render` writes',
    (_, file, text) => {
      expect(readFileSync(file, 'utf8')).toBe(text);
    },
  );
});

describe.each(byTitle)('%s', (_, dashboard) => {
  const panels = panelsOf(dashboard);
  const everything = dashboard.panels ?? [];
  const queries = queriesOf(dashboard);
  const variables = dashboard.templating?.list ?? [];
  const names = variables.map(({ name }) => name);

  it('has ids and titles once each', () => {
    const ids = everything.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => Number.isInteger(id) && Number(id) > 0)).toBe(true);
    const titles = everything.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    expect(dashboard.uid).toMatch(/^[a-z-]{8,40}$/);
  });

  it('says on each panel what is seen, in which unit', () => {
    expect(panels.length).toBeGreaterThan(5);
    for (const { title, description, fieldConfig } of panels) {
      expect(title, JSON.stringify(title)).toMatch(/^[A-Z]/);
      expect(description, title).toMatch(/^[A-Z0-9].{20,}\.$/s);
      expect(fieldConfig?.defaults?.unit, title).toMatch(/^[a-z]+$/);
    }
  });

  it('has no two panels in one place, none beside the grid, and no hole', () => {
    const taken = new Map<string, string>();
    for (const { title = '', gridPos } of everything) {
      const { x, y, w, h } = gridPos!;
      expect(x + w, title).toBeLessThanOrEqual(GRID_COLUMNS);
      for (let column = x; column < x + w; column++) {
        for (let row = y; row < y + h; row++) {
          const cell = `${column}:${row}`;
          expect(taken.get(cell), `${title} at ${cell}`).toBeUndefined();
          taken.set(cell, title);
        }
      }
    }
    const rows = Math.max(...everything.map(({ gridPos }) => gridPos!.y + gridPos!.h));
    expect(taken.size).toBe(GRID_COLUMNS * rows);
  });

  it('asks the data source that is chosen, and none that an import would have to be told', () => {
    expect(variables[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    const json = JSON.stringify(dashboard);
    expect(json).not.toContain('__inputs');
    const uids = [...json.matchAll(/"uid":"([^"]*)"/g)].map(([, uid]) => uid);
    expect(new Set(uids)).toEqual(new Set(['$datasource', dashboard.uid]));
    for (const panel of panels) {
      expect(panel.datasource?.uid, panel.title).toBe('$datasource');
      for (const target of panel.targets ?? [])
        expect((target as { datasource?: { uid?: string } }).datasource?.uid, panel.title).toBe('$datasource');
    }
  });

  it('begins with everything chosen', () => {
    const chosen = variables.filter(({ type }) => type === 'query');
    expect(chosen.length).toBeGreaterThan(1);
    for (const { name, includeAll, allValue, current } of chosen)
      expect({ includeAll, allValue, value: current?.value }, name).toEqual({
        includeAll: true,
        allValue: '.*',
        value: ['$__all'],
      });
  });

  it('uses every variable that it has, and no other', () => {
    const asked = [...queries.map(({ expr }) => expr), ...annotationsOf(dashboard).map(({ expr = '' }) => expr)];
    const used = new Set(asked.flatMap(variablesIn).filter((name) => !BUILT_IN.includes(name)));
    expect([...used].sort()).toEqual(names.filter((name) => name !== 'datasource').sort());
  });

  it('asks for nothing that is not in the catalogue', () => {
    expect(queries.length).toBeGreaterThan(5);
    const exprs = [...queries.map(({ expr }) => expr), ...annotationsOf(dashboard).map(({ expr = '' }) => expr)];
    expect(exprs.flatMap((expr) => unknownNames(fillInVariables(expr, FILLED_IN)))).toEqual([]);
    const offered = variables.flatMap(({ type, definition = '' }) => (type === 'query' ? [definition] : []));
    for (const definition of offered) {
      const [, selected = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
      expect(unknownNames(`sum by (${label}) (${fillInVariables(selected, FILLED_IN)})`), definition).toEqual([]);
    }
  });

  it('names in a legend only labels that the query leaves', () => {
    for (const { panel, expr, legend } of queries) {
      const { groupLabels } = namesIn(fillInVariables(expr, FILLED_IN));
      const wanted = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
      for (const label of wanted) expect(groupLabels, panel).toContain(label);
    }
  });

  it('takes rates over no less than four scrapes, and burn rates over what the alerts look at', () => {
    const windows = queries.flatMap(({ expr }) => [...expr.matchAll(/\}\[([^\]]+)\]/g)].map(([, window]) => window));
    expect(windows).toContain('$__rate_interval');
    const others = windows.filter((window) => window !== '$__rate_interval' && window !== '$__range');
    expect(new Set(others)).toEqual(new Set(dashboard.uid === 'ragscale-overview' ? ['5m', '1h'] : []));
  });
});

describe('all dashboards together', () => {
  it('show every metric of the catalogue', () => {
    const shown = new Set(
      dashboards
        .flatMap(queriesOf)
        .flatMap(({ expr }) => namesIn(fillInVariables(expr, FILLED_IN)).series.map(({ metric }) => metric)),
    );
    const missing = Object.values(METRICS)
      .map(({ name }) => name)
      .filter((name) => ![name, `${name}_bucket`, `${name}_sum`, `${name}_count`].some((each) => shown.has(each)));
    expect(missing).toEqual([]);
  });

  it('have the objective and the percentile where the chart puts its own', () => {
    for (const dashboard of dashboards) {
      const text = JSON.stringify(dashboard, null, 2);
      const boxes = (dashboard.templating?.list ?? []).filter(({ type }) => type === 'textbox');
      for (const { query } of boxes) expect(text.split(`"query": "${query}"`)).toHaveLength(2);
    }
    const [overview] = dashboards;
    const boxes = overview?.templating?.list
      ?.filter(({ type }) => type === 'textbox')
      .map(({ name, query }) => [name, query]);
    expect(boxes).toEqual([
      ['objective', '2'],
      ['percentile', '95'],
    ]);
  });

  it('mark changes of the replicas where replicas are seen', () => {
    const marked = dashboards.filter((dashboard) => annotationsOf(dashboard).length === 2).map(({ uid }) => uid);
    expect(marked).toEqual(['ragscale-overview', 'ragscale-autoscaler']);
  });

  it('show every term of the law, once, and none that it does not give', () => {
    expect(Object.values(TERMS).flat().sort()).toEqual([...termsOfTheLaw()].sort());
  });
});
