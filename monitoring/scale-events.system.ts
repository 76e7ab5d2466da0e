/** Does every change of the replicas that are wanted make one mark, and no more? */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { missingPrograms, whereMissing } from '../test/support/prometheus.ts';
import { fillInVariables } from './dashboards/filled-in.ts';
import { scaleEvents } from './dashboards/variables.ts';
import { promtool } from './test/promtool.ts';

const EVERYTHING = { namespace: '.*', name: '.*' };
/** Asked each minute, as Grafana does with `step: 60s`; by minute: up at 3, down at 5, to nothing at 6. */
const DESIRED = '2 2 2 4 4 1 0 0';
const MARKS: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  'Scaled up': { 3: 4 },
  // What there was before: Grafana draws no mark for a 0.
  'Scaled down': { 5: 4, 6: 1 },
};

it.skipIf(missingPrograms.length > 0)(`marks on the dashboards${whereMissing}`, async () => {
  const events = scaleEvents().map((event) => event.build());
  expect(events.map(({ name }) => name)).toEqual(Object.keys(MARKS));
  expect(events.map(({ step }) => step)).toEqual(['60s', '60s']);
  const tests = events.flatMap(({ name, expr = '' }) =>
    DESIRED.split(' ').map((_value, minute) => {
      const mark = MARKS[name]?.[minute];
      const labels = '{namespace="rag", name="batched"}';
      return {
        expr: fillInVariables(expr, EVERYTHING),
        eval_time: `${minute}m`,
        exp_samples: mark === undefined ? [] : [{ labels, value: mark }],
      };
    }),
  );
  const series = 'ragscale_autoscaler_replicas{namespace="rag", name="batched", kind="desired", pod="autoscaler-0"}';
  const suite = { interval: '1m', input_series: [{ series, values: DESIRED }], promql_expr_test: tests };
  const folder = await mkdtemp(path.join(tmpdir(), 'ragscale-marks-'));
  await writeFile(path.join(folder, 'marks.json'), JSON.stringify({ rule_files: [], tests: [suite] }));
  const { code, said } = await promtool('test', 'rules', path.join(folder, 'marks.json'));
  await rm(folder, { recursive: true });
  expect(said).toMatch(/SUCCESS\s*$/);
  expect(code).toBe(0);
});
