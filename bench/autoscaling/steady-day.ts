/**
 * Does it flap? A day of steady Poisson load, and how often the number of replicas changes in an hour after the first ten minutes.
 *
 *     node --conditions=source bench/autoscaling/steady-day.ts [--quick] [--policies ragscale,hpa]
 *
 * Writes steady-day.md here.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { poissonArrivals } from '@ragscale/scaling/arrivals/poisson';
import type { Load } from './loads.ts';
import { factsOf, OTHERS, OUR_POLICY, POD_KINDS, type PodKind, podsOf } from './policies.ts';
import { trial } from './trial.ts';
import { TUNED_FILE, type TunedFile } from './tune.ts';

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, policies: { type: 'string' } },
});
const policies = [OUR_POLICY, ...OTHERS].filter(({ name }) => flags.policies?.split(',').includes(name) ?? true);
const HOURS = flags.quick ? 3 : 24;
const HOUR_MS = 3_600_000;
const SETTLING_MS = 600_000;
const RATES = [1.5, 5, 12, 25, 30];
const COLD_START_S = 30;
const tunedFile = existsSync(TUNED_FILE) ? (JSON.parse(readFileSync(TUNED_FILE, 'utf8')) as TunedFile) : {};

const rows: string[] = [];
for (const kind of Object.keys(POD_KINDS) as PodKind[]) {
  const facts = factsOf(podsOf(kind, COLD_START_S));
  for (const policy of policies) {
    const tuned = policy.isOurs ? undefined : tunedFile[kind]?.[COLD_START_S]?.[policy.name]?.all.settings;
    for (const [variant, settings] of [
      ['default', policy.defaults(facts)],
      ['tuned', tuned],
    ] as const) {
      if (settings === undefined) continue;
      const cells = RATES.map((rate) => {
        const load: Load = {
          name: `steady ${rate}`,
          about: '',
          isStationary: true,
          arrivals: (random) => poissonArrivals({ rate, durationMs: HOURS * HOUR_MS }, random),
        };
        const { changeTimesMs, violationShare, meanReplicas } = trial(
          { load, kind, coldStartS: COLD_START_S, seed: 1 },
          policy.create(settings),
          policy.start(settings),
        );
        const later = changeTimesMs.filter((at) => at >= SETTLING_MS).length;
        const perHour = later / (HOURS - SETTLING_MS / HOUR_MS);
        return `${perHour.toFixed(2)}; ${(100 * violationShare).toFixed(2)}%, ${meanReplicas.toFixed(1)}`;
      });
      rows.push(`| ${kind} | ${policy.name}, ${variant} | ${cells.join(' | ')} |`);
      console.log(rows.at(-1));
    }
  }
}
const text = `Changes an hour after the first ten minutes of ${HOURS} hours; violations, mean replicas. Cold start ${COLD_START_S} s.

| pods | | ${RATES.map((rate) => `${rate} requests/s`).join(' | ')} |
|---|---|${RATES.map(() => '---|').join('')}
${rows.join('\n')}
`;
writeFileSync(path.join(import.meta.dirname, 'steady-day.md'), text);
