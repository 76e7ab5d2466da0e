/** What becomes of the load on the cluster? The chart with paced pods, k6 for the clients, and a record of the pods. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Report } from '../../../loadtest/lib/report.ts';
import { cluster } from '../../e2e/support/cluster.ts';
import { createNamespace, removeNamespace } from '../../e2e/support/namespace.ts';
import { installRelease, type Release } from '../../e2e/support/release.ts';
import { runProgram } from '../../e2e/support/run-program.ts';
import { waitFor } from '../../e2e/support/wait-for.ts';
import { FleetRecord, type FleetSample } from './fleet-record.ts';
import * as settings from './settings.ts';
import type { Replay } from './trace.ts';

const LOADTEST = path.join(import.meta.dirname, '../../../loadtest');
const TARGET = 'ragscale-batched';
const AUTOSCALER = 'ragscale-autoscaler';

export interface Measured {
  /** When the first request was due, in milliseconds of Unix time. */
  readonly startedAt: number;
  readonly fleet: readonly FleetSample[];
  readonly replicaSeconds: number;
  /** From the creation of a pod until it was ready. */
  readonly coldStartsMs: readonly number[];
  readonly load: Report;
}

function valuesFor({ meanTokens }: Replay): Readonly<Record<string, unknown>> {
  const tokenMs = settings.MEAN_SERVICE_MS / meanTokens;
  return {
    'objective.latency': `${settings.OBJECTIVE_S}s`,
    'objective.percentile': String(settings.PERCENTILE),
    'pod.image.repository': 'ragscale/rag-paced',
    'pod.env': {
      PACE_TOKEN: `${tokenMs.toFixed(4)}ms`,
      PACE_CURVE: settings.CURVE,
      PACE_LOADING: `${settings.LOADING_S}s`,
      PACE_STRIDE: String(settings.STRIDE),
    },
    // What there is of the processors is shared by this where they are all busy.
    'pod.resources.requests': { cpu: '15m', memory: '64Mi' },
    'variants.batched.slots': settings.SLOTS,
    'variants.batched.autoscaling.minReplicas': settings.MIN_REPLICAS,
    'variants.batched.autoscaling.maxReplicas': settings.MAX_REPLICAS,
    'proxy.replicas': settings.PROXIES,
    'prometheus.bundled.scrapeInterval': `${settings.SCRAPE_MS}ms`,
    logLevel: 'warn',
  };
}

/** @param initial pods at the beginning @param files folder for what k6 reads and writes @throws Error where something cannot be started */
export async function measureOnCluster(
  replay: Replay,
  { initial, csvFile, say }: { initial: number; csvFile: string; say: (line: string) => void },
): Promise<Measured> {
  const namespace = await createNamespace('validation');
  try {
    say(`installing in ${namespace}`);
    const release = await installRelease({ namespace, values: valuesFor(replay), small: false });
    await prepare(namespace, initial);
    say(`${initial} pods are ready; the load begins`);
    await using record = new FleetRecord(namespace, TARGET, 'batched');
    const replaying = replayed(release, csvFile);
    // As in the simulator, it comes when the load does, and finds the pods that are there.
    await Promise.race([replaying, loadBegins(release)]);
    await scale(namespace, AUTOSCALER, 2);
    const load = await replaying;
    const startedAt = Date.parse(load.endedAt) - 1_000 * load.ranS;
    await release.close();
    return {
      startedAt,
      fleet: record.samples,
      replicaSeconds: record.replicaSeconds(startedAt, startedAt + replay.arrivals.durationMs),
      coldStartsMs: record.coldStarts(startedAt),
      load,
    };
  } finally {
    await removeNamespace(namespace);
  }
}

async function prepare(namespace: string, initial: number): Promise<void> {
  await scale(namespace, AUTOSCALER, 0);
  const gone = async () => (await cluster().pods(namespace, 'autoscaler')).length === 0;
  await waitFor('no autoscaler is there', gone, { namespace });
  await scale(namespace, TARGET, initial);
  const ready = async () => ((await cluster().deployment(namespace, TARGET)).status.readyReplicas ?? 0) >= initial;
  await waitFor(`${initial} pods are ready`, ready, { namespace, timeoutMs: 600_000 });
}

const scale = (namespace: string, deployment: string, replicas: number) =>
  cluster().kubectl(['scale', 'deployment', deployment, `--replicas=${replicas}`, '--namespace', namespace]);

/** k6 takes a while to get ready. */
async function loadBegins(release: Release): Promise<void> {
  const admin = await release.adminUrl();
  const arrived = async () =>
    /^ragscale_proxy_arrivals_total\S* [1-9]/m.test(await (await fetch(`${admin}/metrics`)).text());
  await waitFor('a proxy has a request', arrived, { everyMs: 200, timeoutMs: 300_000 });
}

async function replayed(release: Release, csvFile: string): Promise<Report> {
  const { stdout } = await promisify(execFile)('bash', [path.join(LOADTEST, 'build-k6.sh')]);
  const out = csvFile.replace(/\.csv$/, '-load');
  const variables = {
    TARGET: await release.proxyUrl(),
    TRACE: csvFile,
    OBJECTIVE: `${settings.OBJECTIVE_S}s`,
    QUESTION_TOKENS: '0',
    // Twice as many as wait when all answers take as long as they may.
    VUS: '400',
    OUT: out,
  };
  const flags = Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const script = path.join(LOADTEST, 'trace.js');
  const { errors } = await runProgram(path.join(stdout.trim(), 'k6'), ['run', '--quiet', ...flags, script], {
    timeoutMs: 2 * 3_600_000,
  });
  try {
    return JSON.parse(readFileSync(`${out}.json`, 'utf8')) as Report;
  } catch (cause) {
    throw new Error(`k6 wrote no report: ${errors.trim()}`, { cause });
  }
}
