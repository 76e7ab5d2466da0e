/**
 * Does the simulator tell the truth? The development trace on the cluster of KUBECONFIG, with the real chart, proxies, autoscaler and Prometheus and
 * pods whose answers take what the trace says and no processor; then the same in simulated time:
 *
 *     node --conditions=source test/cluster/validation/measure.ts [--minutes 20] [--trace FILE.csv] [--out FOLDER]
 *
 * The images rag-paced, proxy, autoscaler and prometheus must be on the nodes (`npm run cluster:load-images`). Fewer minutes are the first ones
 * of the twenty; they are for trying it. Ends with 1 where less was good than is promised, or the two are further apart.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_PODS } from '@ragscale/scaling/simulator/defaults';
import { initialReplicas } from '@ragscale/scaling/simulator/initial-replicas';
import { drawReplicas, percent } from './draw.ts';
import { measureOnCluster } from './on-cluster.ts';
import { type Results, resultsOf } from './results.ts';
import { LEAST_GOOD, LOADING_S, MEAN_SERVICE_MS, MOST_APART, WHOLE_MINUTES } from './settings.ts';
import { simulated } from './simulated.ts';
import { replayOf } from './trace.ts';

const RECORDED = path.join(import.meta.dirname, '../../../../shared/data/azure-llm-2023-conv.csv');

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: String(WHOLE_MINUTES) },
    trace: { type: 'string', default: RECORDED },
    out: { type: 'string' },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0 && minutes <= WHOLE_MINUTES)) throw new RangeError(`--minutes is a number up to ${WHOLE_MINUTES}`);
const folder =
  values.out ?? (minutes === WHOLE_MINUTES ? import.meta.dirname : path.join(tmpdir(), 'ragscale-validation'));
mkdirSync(folder, { recursive: true });

const say = (line: string) => process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

function print({ settings, cluster, simulator, ratio }: Results): void {
  const kinds = Object.entries(cluster.outcomes).map(([name, count]) => `${name} ${count}`);
  const late = cluster.outcomes.answered - cluster.good;
  process.stdout.write(
    `
cold start ${settings.coldStartS} s on average, ${cluster.coldStartsS.length} pods started
            good      replica-seconds
cluster     ${percent(cluster.goodShare)}    ${Math.round(cluster.replicaSeconds)}   (${kinds.join(', ')}; late ${late})
simulator   ${percent(1 - simulator.violations.mean)}    ${Math.round(simulator.replicaSeconds.mean)} ±${Math.round(simulator.replicaSeconds.ci95)}
ratio                 ${ratio.toFixed(3)}

${simulator.command}
${folder}: results.json, replicas.svg
`,
  );
}

const replay = replayOf(values.trace, WHOLE_MINUTES, minutes);
const csvFile = path.join(tmpdir(), `ragscale-trace-${minutes}.csv`);
writeFileSync(csvFile, replay.csv);
const initial = initialReplicas(replay.arrivals, { ...DEFAULT_PODS, meanServiceMs: MEAN_SERVICE_MS });
const measured = await measureOnCluster(replay, { initial, csvFile, say });
const { coldStartsMs } = measured;
const coldStartMs =
  coldStartsMs.length === 0 ? 1_000 * LOADING_S : coldStartsMs.reduce((sum, ms) => sum + ms, 0) / coldStartsMs.length;
say('simulating');
const results = resultsOf(measured, await simulated(replay, csvFile, { initial, coldStartMs }), {
  minutes,
  initial,
  coldStartMs,
});
writeFileSync(path.join(folder, 'results.json'), `${JSON.stringify(results)}\n`);
await drawReplicas(results, path.join(folder, 'replicas.svg'));
print(results);
const holds = results.cluster.goodShare >= LEAST_GOOD && Math.abs(results.ratio - 1) <= MOST_APART;
process.exitCode = holds && results.cluster.generatorPassed ? 0 : 1;
