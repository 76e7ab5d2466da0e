/**
 * How much processor time does a round of the autoscaler take for each target? Queries, readings and decisions of many targets, against a
 * server in another process that answers as Prometheus would: node --conditions=source bench/autoscaling/round.ts [--targets 500] [--pods 8]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { createScaler } from '@ragscale/scaling/scaler';
import { realClock } from '@ragscale/service/clock';
import type { MeasuredTarget } from '../../apps/autoscaler/src/measurements.ts';
import { PrometheusMeasurements } from '../../apps/autoscaler/src/measuring/prometheus-measurements.ts';
import { calmRows, FakePrometheus } from '../../apps/autoscaler/test/fake-prometheus.ts';

const PERIOD_MS = 5_000;
const WARM_ROUNDS = 5;
const ROUNDS = 20;
/** What a decision for one target may cost. */
const GOAL_MS = 5;

const { values } = parseArgs({
  options: { targets: { type: 'string', default: '500' }, pods: { type: 'string', default: '8' } },
});
const podsEach = Number(values.pods);

const targets: MeasuredTarget[] = Array.from({ length: Number(values.targets) }, (_, index) => ({
  target: {
    ...{ id: `ns-${index % 50}/rag-${index}`, namespace: `ns-${index % 50}`, name: `rag-${index}`, generation: 1 },
    route: `route-${index}`,
    policy: { maxReplicas: 100, objective: { metric: 'duration', latencyMs: 2_000, percentile: 95 } },
  },
  readyPods: Array.from({ length: podsEach }, (_, pod) => `rag-${index}-7d9c5b6f4-${pod}`),
}));

/** Every answer is made once: what is measured is the asking. */
async function serve(): Promise<void> {
  const calm = calmRows(targets.map(({ target, readyPods }) => ({ ...target, pods: readyPods })));
  const answers = new Map<string, ReturnType<typeof calm>>();
  const fake = await FakePrometheus.start((kind, query) => {
    const rows = answers.get(query) ?? calm(kind, query);
    answers.set(query, rows);
    return rows;
  });
  process.on('disconnect', () => process.exit());
  process.send?.(fake.url);
}

/** Milliseconds of processor time of this process. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
}

async function measure(url: string): Promise<void> {
  const measurements = new PrometheusMeasurements({ url, timeoutMs: 60_000, clock: realClock });
  const scalers = targets.map(({ target }) => createScaler(target.policy, { now: 0, replicas: podsEach }));
  let [measuringMs, decidingMs] = [0, 0];
  for (let round = 0; round < WARM_ROUNDS + ROUNDS; round++) {
    const before = process.cpuUsage();
    const measured = await measurements.measure(targets, new AbortController().signal);
    const between = process.cpuUsage();
    if (round >= WARM_ROUNDS) measuringMs += cpuMs(before);
    for (const [index, { target }] of targets.entries()) {
      const { observation, trouble } = measured.get(target.id)!;
      if (trouble !== undefined) throw new Error(trouble);
      const replicas = { spec: podsEach, ready: podsEach, startingAgesMs: [] };
      scalers[index]!.decide({ ...observation, replicas }, (round + 1) * PERIOD_MS);
    }
    if (round >= WARM_ROUNDS) decidingMs += cpuMs(between);
  }
  await measurements.close();
  const perTarget = (ms: number) => (ms / ROUNDS / targets.length).toFixed(3);
  const perRound = (measuringMs + decidingMs) / ROUNDS;
  console.log(`${targets.length} targets of ${podsEach} pods, ${ROUNDS} rounds`);
  console.log(
    `by target: ${perTarget(measuringMs)} ms to measure, ${perTarget(decidingMs)} ms to decide (goal: ${GOAL_MS} ms)`,
  );
  console.log(
    `by round: ${perRound.toFixed(0)} ms, ${((100 * perRound) / PERIOD_MS).toFixed(1)}% of a core at a period of ${PERIOD_MS / 1_000} s`,
  );
}

if (process.send !== undefined) {
  await serve();
} else {
  const server = fork(import.meta.filename, process.argv.slice(2));
  const [url] = (await once(server, 'message')) as [string];
  await measure(url);
  server.disconnect();
}
