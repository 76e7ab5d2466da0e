/**
 * How much processor time does the whole autoscaler take for each target? The built process as it runs in a cluster, against an API server
 * and a Prometheus in another process that answer at once:
 *
 *     node --conditions=source bench/autoscaling/controller.ts [--targets 500] [--pods 8] [--rounds 12]
 *
 * bench/autoscaling/round.ts tells what of it is measuring and deciding.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { AutoscalerProcess } from '../../apps/autoscaler/test/autoscaler-process.ts';
import { cpuSample } from '../lib/process-cpu.ts';
import { type LightCluster, lightTargets, startLightCluster } from './light-cluster.ts';

const PERIOD_S = 5;
const WARM_ROUNDS = 6;
/** What a decision for one target may cost. */
const GOAL_MS = 5;

const { values } = parseArgs({
  options: {
    targets: { type: 'string', default: '500' },
    pods: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '12' },
  },
});
const rounds = Number(values.rounds);
const targets = lightTargets(Number(values.targets), Number(values.pods));

type Where = Pick<LightCluster, 'apiServer' | 'certificate' | 'prometheus'>;

async function serve(): Promise<void> {
  const cluster = await startLightCluster(targets);
  process.on('disconnect', () => process.exit());
  process.on('message', () => process.send?.(cluster.counts()));
  process.send?.(cluster);
}

function configFor({ apiServer, certificate }: Where): KubeConfig {
  const config = new KubeConfig();
  const caData = Buffer.from(certificate).toString('base64');
  config.loadFromOptions({
    clusters: [{ name: 'light', server: apiServer, caData }],
    users: [{ name: 'user', token: 'token' }],
    contexts: [{ name: 'light', cluster: 'light', user: 'user', namespace: 'ragscale' }],
    currentContext: 'light',
  });
  return config;
}

async function measure(where: Where, counts: () => Promise<Record<string, number>>): Promise<void> {
  await using autoscaler = new AutoscalerProcess(configFor(where), {
    ...{ NAMESPACES: '*', LEADER_ELECTION: 'off', LOG_LEVEL: 'warn' },
    ...{ PROMETHEUS_URL: where.prometheus, PERIOD: `${PERIOD_S}s` },
  });
  const { pid } = autoscaler.child;
  if (pid === undefined) throw new Error('the autoscaler could not be started: npm run build');
  await delay(1_000 * PERIOD_S * WARM_ROUNDS);
  const before = await counts();
  const used = cpuSample(pid).server;
  await delay(1_000 * PERIOD_S * rounds);
  const cpuMs = 1_000 * (cpuSample(pid).server - used);
  const asked = Object.entries(await counts()).map(([what, count]) => [what, count - (before[what] ?? 0)] as const);
  if (autoscaler.lines.length > 0 || autoscaler.errors !== '') {
    throw new Error(`all should be well: ${JSON.stringify(autoscaler.lines[0])}${autoscaler.errors}`);
  }
  const perRound = cpuMs / rounds;
  console.log(`${targets.length} targets of ${values.pods} pods, ${rounds} rounds, the whole process`);
  console.log(`by target and round: ${(perRound / targets.length).toFixed(2)} ms (goal: ${GOAL_MS} ms)`);
  console.log(
    `by round: ${perRound.toFixed(0)} ms, ${(perRound / (10 * PERIOD_S)).toFixed(1)}% of a core at a period of ${PERIOD_S} s`,
  );
  for (const [what, count] of asked)
    if (count > 0) console.log(`  ${(count / rounds).toFixed(1)} times a round: ${what}`);
}

if (process.send !== undefined) {
  await serve();
} else {
  const server = fork(import.meta.filename, process.argv.slice(2));
  try {
    const [where] = (await once(server, 'message')) as [Where];
    await measure(where, async () => {
      server.send('counts');
      return ((await once(server, 'message')) as [Record<string, number>])[0];
    });
  } finally {
    server.disconnect();
  }
}
