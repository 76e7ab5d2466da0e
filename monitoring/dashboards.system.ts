/** Does every panel show something when there is something to show? A real Prometheus, with the numbers of a real load. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingPrograms, whereMissing } from '../test/support/prometheus.ts';
import { buildDashboard } from './dashboards/dashboard-plan.ts';
import { fillInVariables, type PanelQuery, panelsOf, queriesOf } from './dashboards/filled-in.ts';
import { DASHBOARDS } from './files.ts';
import { RealLoad } from './test/real-load.ts';

const skipped = missingPrograms.length > 0;

/** As Grafana fills them in where everything is chosen, for scrapes of a second. */
const VALUES = {
  namespace: '.*',
  route: '.*',
  variant: '.*',
  name: '.*',
  objective: '2',
  percentile: '95',
  __rate_interval: '5s',
  __range: '2m',
};
const RANGE_SECONDS = 120;
const STEP_SECONDS = 2;

let load: RealLoad;
let now: number;
beforeAll(async () => {
  if (skipped) return;
  load = new RealLoad();
  await load.start();
  await load.run();
  now = Date.now() / 1_000;
}, 300_000);
afterAll(() => load?.[Symbol.asyncDispose]());

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly result: readonly { value?: [number, string]; values?: [number, string][] }[] };
}

async function ask(path: string, parameters: Record<string, string>): Promise<Answer> {
  const response = await fetch(`${load.prometheusUrl}/api/v1/${path}`, {
    method: 'POST',
    body: new URLSearchParams(parameters),
  });
  return (await response.json()) as Answer;
}

/** Every number that Grafana would draw. */
async function numbersOf({ expr, isInstant }: PanelQuery): Promise<number[]> {
  const query = fillInVariables(expr, VALUES);
  const answer = isInstant
    ? await ask('query', { query, time: String(now) })
    : await ask('query_range', {
        query,
        start: String(now - RANGE_SECONDS),
        end: String(now),
        step: String(STEP_SECONDS),
      });
  expect(answer, query).toMatchObject({ status: 'success' });
  return answer.data.result
    .flatMap(({ value, values }) => values ?? (value ? [value] : []))
    .map(([, number]) => Number(number))
    .filter(Number.isFinite);
}

const dashboards = DASHBOARDS.map(buildDashboard).map((dashboard) => [dashboard.title ?? '', dashboard] as const);

describe.skipIf(skipped).each(dashboards)(`%s${whereMissing}`, (_, dashboard) => {
  const queries = queriesOf(dashboard);

  it.each(panelsOf(dashboard).map(({ title = '' }) => title))('%s', async (title) => {
    const own = queries.filter(({ panel }) => panel === title);
    const numbers = await Promise.all(own.map(numbersOf));
    for (const [index, each] of numbers.entries()) expect(each.length, own[index]?.expr).toBeGreaterThan(0);
    expect(numbers.flat().filter((number) => number !== 0).length).toBeGreaterThan(0);
  });

  it('offers values for what can be chosen', async () => {
    for (const { type, name, definition = '' } of dashboard.templating?.list ?? []) {
      if (type !== 'query') continue;
      const [, selected = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
      const match = encodeURIComponent(fillInVariables(selected, VALUES));
      const response = await fetch(`${load.prometheusUrl}/api/v1/label/${label}/values?match[]=${match}`);
      const { data } = (await response.json()) as { data: string[] };
      expect(data, name).toEqual([name === 'namespace' ? 'rag' : 'batched']);
    }
  });
});
